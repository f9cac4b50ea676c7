# check.sh - ./run check: cheap steps first; every step adds what it counted to the last line.
# Sourced by ./run after lib.sh.
# shellcheck shell=sh
#
# A step is a function step_NAME.  Its output goes to build/log/check-NAME.txt and is shown when it fails.
# It may call `counted PASSED FAILED` (otherwise the step itself counts as one) and `skipped WHAT, WHY`.

# The rooms whose tests start threads: only they are worth building again under TSan.
threaded_rooms='loop sql transport store identity guard backend audit site serve'
fuzz_seconds=4
interleave_seconds=20
tidy_seconds=150

check_passed=0
check_failed=0
note_dir=$root/build/counted

counted()
{
	echo "$1 $2" >>"$note_dir/count"
}

skipped()
{
	echo "SKIPPED: $*" >>"$note_dir/skipped"
}

step()
{
	step_name=$1
	step_log=build/log/check-$step_name.txt
	step_start=$(date +%s)
	rm -f "$note_dir/count"
	printf '%-14s ' "$step_name"
	(
		"step_$step_name"
	) >"$step_log" 2>&1 9>&-
	step_rc=$?
	step_good=$(awk '{ n += $1 } END { print n + 0 }' "$note_dir/count" 2>/dev/null)
	step_bad=$(awk '{ n += $2 } END { print n + 0 }' "$note_dir/count" 2>/dev/null)
	if [ ! -s "$note_dir/count" ] || { [ $step_rc -ne 0 ] && [ "$step_bad" = 0 ]; }; then
		[ $step_rc -eq 0 ] && step_good=1 || step_bad=$((${step_bad:-0} + 1))
	fi
	step_good=${step_good:-0}
	step_bad=${step_bad:-0}
	check_passed=$((check_passed + step_good))
	check_failed=$((check_failed + step_bad))
	step_seconds=$(($(date +%s) - step_start))
	if [ "$step_bad" -gt 0 ]; then
		echo "FAILED: $step_bad of $((step_good + step_bad)), $step_seconds s; all of it is in $step_log"
		tail -n 80 "$step_log" | sed 's/^/    /'
		return 1
	fi
	echo "ok: $step_good, $step_seconds s"
}

step_rooms() { tools/lint rooms; }
step_format() { tools/lint format; }
step_banned() { tools/lint banned; }
step_words() { tools/lint words; }
step_shell() { tools/lint shell; }

# unit_tests DIRECTORY [MESON TEST OPTION...]
unit_tests()
{
	unit_dir=$1
	shift
	rm -f "$unit_dir/meson-logs/testlog.txt"
	ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 \
		UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 \
		meson test -C "$unit_dir" --no-rebuild --print-errorlogs --num-processes "$jobs" "$@"
	unit_rc=$?
	[ -f "$unit_dir/meson-logs/testlog.txt" ] || return 1
	# shellcheck disable=SC2046
	set -- $(awk -f tools/count-tests.awk "$unit_dir/meson-logs/testlog.txt")
	counted "$1" "$2"
	[ "$3" = 0 ] || skipped "$3 unit tests, see $unit_dir/meson-logs/testlog.txt"
	return $unit_rc
}

# The program people get, and the unit tests compiled the same way (optimizers find other warnings).
step_gcc()
{
	build_dir check && build_product
}

step_asan()
{
	build_dir asan && unit_tests build/asan
}

step_clang()
{
	build_dir clang
}

step_tsan()
{
	build_dir tsan || return 1
	suites=
	for room in $threaded_rooms; do
		meson test -C build/tsan --list 2>/dev/null | grep -q ":$room / " && suites="$suites --suite $room"
	done
	if [ -z "$suites" ]; then
		skipped 'TSan unit tests, because no threaded room has tests'
		return 0
	fi
	# shellcheck disable=SC2086
	unit_tests build/tsan $suites
}

step_cppcheck()
{
	mkdir -p build/cppcheck
	cppcheck --quiet --std=c11 --language=c -j "$jobs" --cppcheck-build-dir=build/cppcheck \
		--enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppress=missingInclude --suppress=missingIncludeSystem --suppress=unknownMacro \
		--template='{file}:{line}: {severity}: {message} [{id}]' \
		-D_GNU_SOURCE -DPOSTERN_VERSION='"0"' -I src \
		$(find src -name '*.c' ! -name '*_test.c' ! -name '*_fuzz.c' | sort)
}

# Bounded in time: files that were not reached are said to be skipped.  A file that did not change since
# it was last found clean (with the same headers and settings) is not examined again.
step_tidy()
{
	mkdir -p build/tidy
	settings=$(cat .clang-tidy tools/tidy.h meson.build $(find src -name '*.h' | sort) | sha256sum | cut -c 1-16)
	deadline=$(($(date +%s) + tidy_seconds))
	export settings deadline
	find src -name '*.c' ! -name '*_test.c' ! -name '*_fuzz.c' ! -name planted.c | sort >build/tidy/files
	xargs -P "$jobs" -n 1 tools/tidy <build/tidy/files >build/tidy/result
	sed -n 's/^said //p' build/tidy/result
	counted "$(grep -c '^clean ' build/tidy/result)" "$(grep -c '^unclean ' build/tidy/result)"
	late=$(grep -c '^late ' build/tidy/result)
	[ "$late" = 0 ] || skipped "clang-tidy on $late files, because its $tidy_seconds s were over; run check again"
	! grep -q '^unclean ' build/tidy/result
}

need_program()
{
	[ -x build/postern ] && return 0
	echo 'there is no build/postern'
	return 1
}

step_hardening()
{
	need_program || return 1
	tools/check-hardening build/postern
	hardening_rc=$?
	counted $(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' build/log/check-hardening.txt)
	return $hardening_rc
}

step_docs()
{
	need_program && tools/check-docs
}

# Each target a few seconds from its corpus, with a fixed seed, as many at a time as there are processors.
step_fuzz()
{
	build_dir fuzz || return 1
	targets=$(fuzz_targets)
	[ -n "$targets" ] || return 1
	export fuzz_seconds
	printf '%s\n' $targets | xargs -P "$jobs" -I NAME ./tools/fuzz-once NAME "$fuzz_seconds" -seed=1 |
		tee build/counted/fuzz
	counted "$(grep -c ' ok$' build/counted/fuzz)" "$(grep -vc ' ok$' build/counted/fuzz)"
	! grep -vq ' ok$' build/counted/fuzz
}

node_tests()
{
	"$node" --import ./test/e2e/packages.mjs --test --test-reporter=tap --test-timeout=120000 \
		--test-concurrency="$jobs" "$@" \
		>build/counted/tap
	tap_rc=$?
	sed -n '/^not ok/,/^  \.\.\./p; /^    not ok/,/^      \.\.\./p' build/counted/tap
	counted "$(awk '/^# pass / { n = $3 } END { print n + 0 }' build/counted/tap)" \
		"$(awk '/^# (fail|cancelled) / { n[$2] = $3 } END { print n["fail"] + n["cancelled"] }' build/counted/tap)"
	sed -n 's/.*ok [0-9]* - \(.*\) # SKIP \(.*\)/\1: \2/p' build/counted/tap |
		while read -r line; do skipped "$line"; done
	return $tap_rc
}

step_e2e()
{
	need_program && node_tests test/e2e/*_test.mjs
}

# Short and seeded; longer runs and the planted faults: ./run interleave.
step_interleave()
{
	build_dir faults postern test/interleave/interleave-desk >build/log/faults-build.txt 2>&1 || return 1
	"$node" test/interleave/run.mjs "$interleave_seconds" 1
	interleave_rc=$?
	counted $(sed -n 's/^\([0-9]*\) interleavings, \([0-9]*\) disagreed$/\1 \2/p' build/log/check-interleave.txt)
	return $interleave_rc
}

step_conformance()
{
	need_program || return 1
	"$node" test/conformance/run.mjs --count build/counted/conformance
	conformance_rc=$?
	[ -f build/counted/conformance ] && counted $(cat build/counted/conformance)
	return $conformance_rc
}

# The long runs: every executable of test/long; exit 77 is a skip whose reason is the last line.
step_long()
{
	for script in test/long/*; do
		[ -x "$script" ] || continue
		echo "== $script"
		"$script" >"build/log/long-$(basename "$script").txt" 2>&1
		long_rc=$?
		cat "build/log/long-$(basename "$script").txt"
		case $long_rc in
		0) counted 1 0 ;;
		77) skipped "$script, $(tail -n 1 "build/log/long-$(basename "$script").txt")" ;;
		*) counted 0 1 ;;
		esac
	done
}

outside_data()
{
	: "${POSTERN_JSONTESTSUITE:=$root/../shared/testdata/JSONTestSuite/test_parsing}"
	: "${POSTERN_CHINOOK:=$root/../shared/testdata/chinook/Chinook_Sqlite.sql}"
	if [ -d "$POSTERN_JSONTESTSUITE" ]; then
		export POSTERN_JSONTESTSUITE
	else
		unset POSTERN_JSONTESTSUITE
		skipped 'JSONTestSuite, because POSTERN_JSONTESTSUITE names no directory'
	fi
	if [ -f "$POSTERN_CHINOOK" ]; then
		export POSTERN_CHINOOK
	else
		unset POSTERN_CHINOOK
		skipped 'the Chinook example, because POSTERN_CHINOOK names no file'
	fi
}

run_check()
{
	case ${1:-} in
	'' | --long) ;;
	*) die 'usage: ./run check [--long]' ;;
	esac
	mkdir -p build
	exec 9>build/check.lock
	flock -n 9 || die 'another ./run check is running in this tree'
	need_packages build demo check
	need_node
	export LC_ALL=C node
	rm -rf build/counted
	mkdir -p build/counted build/log
	: >build/counted/skipped
	outside_data
	for name in rooms format banned words shell gcc asan clang tsan cppcheck tidy hardening docs fuzz \
		e2e interleave conformance; do
		step $name
	done
	[ "${1:-}" = --long ] && step long && cat build/log/check-long.txt
	sort -u build/counted/skipped
	echo "$check_passed passed, $check_failed failed"
	[ "$check_failed" = 0 ]
}
