# SPDX-License-Identifier: MIT
# Part of ./dev: every promise checked in a way that can fail. README.md beside this says what each
# row shows, and how to add to it.

# row NAME COMMAND...: runs a step whose last line of output is its figure.
row() {
  name=$1
  shift
  say "proving: $name"
  began=$(date +%s)
  log=build/prove/$name.log
  verdict=holds
  "$@" >"$log" 2>&1 || verdict=FAILS
  [ "$verdict" = holds ] || { fell_short=yes && tail -n 40 "$log" >&2; }
  printf '%-13s %-6s %5d s  %s\n' "$name" "$verdict" "$(($(date +%s) - began))" \
    "$(tail -n 1 "$log")" >>build/prove/table
}

# The suite once more under a sanitizer; the figure is how many tests passed.
suite() {
  results=build/$1/tests.xml
  rm -f "$results"
  ended_well=yes
  cmake --workflow --preset "$1" || ended_well=no
  failed_tests
  echo "$(attribute tests) tests, $(attribute failures) failed, $(attribute skipped) skipped"
  [ "$ended_well" = yes ]
}

target() { cmake --preset "$1" && cmake --build --preset "$1" --target "$2"; }

# A race ends nothing, since races are planted; whatever else ends a program is not to be a success.
schedules() {
  target "$1" xofn_schedules && target "$1" xofn_scheduler_tests &&
    TSAN_OPTIONS=exitcode=0:handle_segv=0:handle_sigbus=0:handle_abort=0 \
      "build/$1/tests/schedules/xofn_scheduler_tests" &&
    TSAN_OPTIONS=exitcode=0 "build/$1/tests/schedules/xofn_schedules" \
      --jobs "$jobs" --schedules "$2" --most "$3"
}

# small_batches PRESET MOST [OPTION...]: whole batches that are small enough to be run in all
# schedules up to their bound.
small_batches() {
  target "$1" xofn_schedules || return
  program=build/$1/tests/schedules/xofn_schedules
  most=$2
  shift 2
  TSAN_OPTIONS=exitcode=0 "$program" \
    --jobs "$jobs" --schedules 1000 --most "$most" --to-bound "$@" "small batch"
}

# soak PRESET MINUTES
soak() {
  target "$1" xofn_properties &&
    TSAN_OPTIONS=halt_on_error=1 "build/$1/tests/properties/xofn_properties" --soak "$2"
}

# What a run of the schedules has explored of each piece of the library.
pieces() {
  if [ -e "build/prove/$1.log" ]; then
    printf '\n%s, piece by piece\n' "$1"
    awk '/^piece /,/^$/' "build/prove/$1.log"
  fi
}

coverage() {
  for program in xofn_tests xofn_log_tests xofn_publish_tests xofn_properties xofn_schedules; do
    target coverage "$program" || return
  done
  sh tests/coverage/check.sh build/coverage
}

# In a shell of its own, since ./dev check has variables of the same names.
prove() (
  extent=full
  minutes=
  while [ $# -gt 0 ]; do
    case $1 in
      --short) extent=short ;;
      --soak)
        minutes=${2:?--soak wants a number of minutes}
        shift
        ;;
      *)
        usage >&2
        exit 2
        ;;
    esac
    shift
  done
  rm -rf build/prove
  mkdir -p build/prove
  printf '%-13s %-6s %7s  %s\n' proof "" time figures >build/prove/table
  fell_short=no
  if [ -n "$minutes" ]; then
    row soak soak tsan "$minutes"
  elif [ "$extent" = short ]; then
    row schedules schedules dev 500 5000
    row small-batches small_batches dev 300000 --bound 2
    row races schedules tsan 50 250
    row model sh tests/model/check.sh build/model
    row soak soak tsan 0.5
    row mutants python3 tests/mutants/mutants.py --every 80
  else
    row schedules schedules prove 20000 1000000
    row races schedules tsan 2000 10000
    row small-batches small_batches prove 4000000
    row small-races small_batches tsan 4000000
    row model sh tests/model/check.sh build/model
    row soak soak tsan 5
    row coverage coverage
    row mutants python3 tests/mutants/mutants.py
    for sanitizer in asan asan-gcc tsan tsan-gcc; do
      row "$sanitizer" suite "$sanitizer"
      row "soak-$sanitizer" soak "$sanitizer" 1
    done
  fi
  printf '\n'
  pieces schedules
  pieces races
  pieces small-batches
  pieces small-races
  printf '\n'
  cat build/prove/table
  [ "$fell_short" = no ]
)
