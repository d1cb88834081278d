# SPDX-License-Identifier: Apache-2.0
# make run     set up, build, take a robot through a job     make test   set up, build, all tests
# make         build only                                    make bench  both sides of every claim
# make wheel  the Python package, in $(BUILD)/wheel
# Options: CC=clang  SAN=1 (ASan+UBSan)  OPT=-O0  BUILD=build/other
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
OPT     ?= -O2
SAN     ?=
FUZZ_S  ?= 10
EXT     := build/extern
BUILD   ?= build/$(CC)$(if $(SAN),-san)
MJ      := $(EXT)/mujoco

WARN := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
        -Wcast-qual -Wundef -Wwrite-strings -Wformat=2 -Wno-unused-function -Werror
CFLAGS  = -std=gnu17 $(OPT) -g -fPIC -ffp-contract=off -fno-math-errno -fvisibility=hidden $(WARN) \
          $(if $(SAN),-fsanitize=address$(,)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
, := ,
INC     = -Iinclude -Isrc -I$(BUILD)/gen -isystem $(MJ)/include
LDLIBS  = -L$(MJ) -lmujoco -Wl,-rpath,$(abspath $(MJ)) -lyaml -lsqlite3 -lsodium -lzstd -lpng -lz -lm -ldl -lpthread
LDFLAGS = $(if $(SAN),-fsanitize=address$(,)undefined) -rdynamic

LIBSRC := $(wildcard src/*/*.c)
APPSRC := $(wildcard apps/qiao/*.c)
TESTS  := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))
BENCH  := $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/bench_*.c))
BRAINS := $(patsubst brains/%/,$(BUILD)/brains/%.so,$(dir $(wildcard brains/*/*.c)))
BRAINS := $(sort $(BRAINS))
LIB    := $(BUILD)/libqiao.a
APP    := $(BUILD)/qiao

all: $(APP) $(BRAINS)

setup: $(EXT)/.ready
$(EXT)/.ready: extern/lock.txt tools/setup.sh
	@tools/setup.sh
# kernels for one instruction set each; the choice is made at load
HOT    := $(if $(SAN),,$(if $(filter clang,$(CC)),-O3,-O3 -funroll-loops))
CFLAGS_kern_f4              := $(HOT)
CFLAGS_plain_any            := $(HOT)
ifeq ($(shell uname -m),x86_64)
AVX2   := -mavx2
AVX512 := -mavx2 -mavx512f -mavx512dq -mavx512vl -mprefer-vector-width=512
CFLAGS_dyn_d1_avx2          := $(AVX2)
CFLAGS_dyn_d4_avx2          := $(AVX2)
CFLAGS_dyn_f8_avx2          := $(AVX2)
CFLAGS_dyn_d8_avx512        := $(AVX512)
CFLAGS_dyn_f16_avx512       := $(AVX512)
CFLAGS_lanes_d4_avx2        := $(AVX2) $(HOT)
CFLAGS_lanes_f8_avx2        := $(AVX2) $(HOT)
CFLAGS_lanes_d8_avx512      := $(AVX512) $(HOT)
CFLAGS_lanes_f16_avx512     := $(AVX512) $(HOT)
CFLAGS_lanes_touch_d4_avx2   := $(AVX2)
CFLAGS_lanes_touch_f8_avx2   := $(AVX2)
CFLAGS_lanes_touch_d8_avx512 := $(AVX512)
CFLAGS_lanes_touch_f16_avx512 := $(AVX512)
CFLAGS_lane_math_d4_avx2    := $(AVX2)
CFLAGS_lane_math_f8_avx2    := $(AVX2)
CFLAGS_lane_math_d8_avx512  := $(AVX512)
CFLAGS_lane_math_f16_avx512 := $(AVX512)
CFLAGS_drive_d4_avx2        := $(AVX2)
CFLAGS_drive_d8_avx512      := $(AVX512)
CFLAGS_quats_d4_avx2        := $(AVX2)
CFLAGS_quats_d8_avx512      := $(AVX512)
CFLAGS_normals_d4_avx2      := $(AVX2)
CFLAGS_normals_d8_avx512    := $(AVX512)
CFLAGS_mlp_f4               := $(HOT)
CFLAGS_mlp_f8_avx2          := $(AVX2) -mfma $(HOT)
CFLAGS_mlp_f16_avx512       := $(AVX512) $(HOT)
CFLAGS_mlp_f16_dot          := $(AVX512) -mavx512bw -mavx512bf16 $(HOT)
CFLAGS_plain_avx2           := $(AVX2) $(HOT)
CFLAGS_plain_avx512         := $(AVX512) -mavx512bw $(HOT)
CFLAGS_kern_f8_avx2         := $(AVX2) $(HOT)
CFLAGS_kern_f16_avx512      := $(AVX512) -mavx512bw $(HOT)
CFLAGS_kern_vnni_avx512     := $(AVX512) -mavx512bw -mavx512vnni $(HOT)
CFLAGS_kern_bf16_avx512     := $(AVX512) -mavx512bw -mavx512bf16 $(HOT)
endif
# no reader is in these, and instruments in unrolled lanes cost minutes of compiling
PLAIN = $(if $(filter lanes_% dyn_% lane_math_% kern_% mlp_%,$(notdir $*)),-fno-sanitize=all)
$(BUILD)/obj/%.o: %.c | $(EXT)/.ready
	@mkdir -p $(@D)
	@echo "  cc    $<"
	@$(CC) $(CFLAGS) $(CFLAGS_$(notdir $*)) $(if $(FUZZ),$(PLAIN)) $(INC) -MMD -MP -c $< -o $@
# the replay page and three.js become part of the program
$(BUILD)/obj/src/rec/embed.o: $(wildcard viewer/*) $(EXT)/.ready
# the texts that qiao compile writes become part of the library
$(BUILD)/obj/src/nn/emit_text.o: $(wildcard src/nn/*.inc) src/nn/plain.h src/base/lanes_math.h
$(LIB): $(LIBSRC:%.c=$(BUILD)/obj/%.o)
	@rm -f $@; ar rcs $@ $^
$(APP): $(APPSRC:%.c=$(BUILD)/obj/%.o) $(LIB)
	@echo "  link  $@"
	@$(CC) $(LDFLAGS) $(filter %.o,$^) -Wl,--whole-archive $(LIB) -Wl,--no-whole-archive $(LDLIBS) -o $@
	@ln -sfn $(abspath $(APP)) build/qiao
$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(LIB)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) $< $(LIB) $(LDLIBS) -o $@
$(BUILD)/bench/%: $(BUILD)/obj/bench/%.o $(LIB)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) $< $(LIB) $(LDLIBS) -o $@
# a plug-in: its own folder's sources and the parts of the library that it uses
.SECONDEXPANSION:
$(BUILD)/brains/%.so: $$(addprefix $(BUILD)/obj/,$$(addsuffix .o,$$(basename $$(wildcard brains/$$*/*.c)))) $(LIB)
	@mkdir -p $(@D)
	@echo "  link  $@"
	@$(CC) -shared $(if $(SAN),-fsanitize=address$(,)undefined) $(filter %.o,$^) -Wl,--exclude-libs,ALL $(LIB) -lm -o $@ $(LDLIBS)

# deliberately bad plug-ins and a bad peer, without sanitizers: their crashes are the test
PLUGS := $(patsubst tests/plugins/%.c,$(BUILD)/tests/plugins/%.so,$(wildcard tests/plugins/*.c))
PLUGS := $(patsubst %/peer_bad.so,%/peer_bad,$(PLUGS))
$(BUILD)/tests/plugins/%.so: tests/plugins/%.c tests/plugins/plug.h include/qiao/brain.h
	@mkdir -p $(@D)
	@$(CC) -std=gnu17 -O1 -fPIC -shared -fvisibility=hidden $(WARN) -Iinclude $< -o $@
$(BUILD)/tests/plugins/peer_bad: tests/plugins/peer_bad.c
	@mkdir -p $(@D)
	@$(CC) -std=gnu17 -O1 $(WARN) $< -o $@

# the Python package: make python stages it, make wheel packs it
PY := $(BUILD)/python/qiao
$(BUILD)/libqiao.so: $(LIBSRC:%.c=$(BUILD)/obj/%.o)
	@echo "  link  $@"
	@$(CC) -shared $(filter-out -rdynamic,$(LDFLAGS)) $^ -Wl,-rpath,'$$ORIGIN' $(LDLIBS) -o $@
$(PY)/.ready: $(BUILD)/libqiao.so $(wildcard bindings/python/*.* bindings/python/qiao/*) $(BRAINS) \
		$(wildcard include/qiao/*.h robots/*/* scenarios/* brains/*/*)
	@rm -rf $(PY) && mkdir -p $(PY)/data/brains
	@cp bindings/python/qiao/*.py bindings/python/qiao_brain.py $(BUILD)/libqiao.so LICENSE $(PY)
	@$(CC) -E -Iinclude bindings/python/all.h | python3 bindings/python/cdef.py > $(PY)/qiao.cdef
	@cp -L $(MJ)/libmujoco.so.[0-9]* $(PY)
	@cp -r robots scenarios $(PY)/data && cp $(BRAINS) brains/*.py $(PY)/data/brains
	@cp --parents brains/*/brain.yaml $(PY)/data
	@touch $@
python: $(PY)/.ready
wheel: python
	@python3 bindings/python/wheel.py $(BUILD)/python $(BUILD)/wheel

tests: $(TESTS) $(APP) $(BRAINS) $(PLUGS) $(if $(SAN),,python)
test: tests
	@tools/run_tests.sh $(BUILD) $(FILTER)
bench: $(BENCH) $(APP) $(BRAINS) $(PLUGS)
	@for b in $(BENCH); do echo "== $$b"; $$b || exit 1; done
# one binary for each reader, clang's libFuzzer; corpora grow in build/fuzz/corpus
FUZZERS := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz: | $(EXT)/.ready
	@$(MAKE) --no-print-directory CC=clang SAN=1 FUZZ=1 OPT="-O1 -fsanitize=fuzzer-no-link" BUILD=build/fuzz \
	  fuzz-run FUZZ_S=$(FUZZ_S)
fuzz-run: $(FUZZERS)
	@for f in $(FUZZERS); do tools/run_fuzz.sh $$f $(FUZZ_S) || exit 1; done
build/fuzz/fuzz_%: build/fuzz/obj/tests/fuzz/fuzz_%.o $(LIB)
	@$(CC) -fsanitize=fuzzer,address,undefined $< $(LIB) $(LDLIBS) -o $@
run: all
	@tools/run_demo.sh $(BUILD)
clean:
	rm -rf build/gcc build/clang build/gcc-san build/clang-san
format:
	clang-format -i $$(git ls-files '*.c' '*.h')
.PHONY: all setup tests test bench fuzz fuzz-run run clean format
.PRECIOUS: $(BUILD)/obj/%.o
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
