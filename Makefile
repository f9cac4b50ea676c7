# Verbs.  Facts (what is built from what) are in meson.build; people on a fresh machine use ./run.
.PHONY: all t e2e demo asan tsan fuzz lint check conformance bench clean

B = build/dev

all: $(B)/build.ninja
	ninja -C $(B)
	meson test -C $(B) --no-rebuild --print-errorlogs

t: $(B)/build.ninja
	ninja -C $(B)
	meson test -C $(B) --no-rebuild --print-errorlogs -v $(T)

$(B)/build.ninja:
	meson setup $(B)

e2e:
	./run e2e $(if $(T),test/e2e/$(T)_test.mjs)

asan:
	./run unit

tsan: build/tsan/build.ninja
	ninja -C build/tsan
	meson test -C build/tsan --no-rebuild --print-errorlogs

build/tsan/build.ninja:
	meson setup build/tsan -Db_sanitize=thread

F ?= json
S ?= 60
fuzz:
	./run fuzz $(F) $(S)

demo lint check conformance bench:
	./run $@

clean:
	rm -rf build
