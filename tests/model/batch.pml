/* SPDX-License-Identifier: MIT
 *
 * A batch as a model for spin: claiming, settling, telling, cancelling and ending, as in
 * include/xofn/batch/claiming.hpp, crew.hpp and delivery/serial_delivery.hpp, step by step. An
 * independent second opinion: written from the algorithms, not compiled from the code. Each atomic
 * operation is one step, and memory is sequentially consistent.
 *
 *   spin -a batch.pml && cc -O2 -o pan pan.c
 *   ./pan                safety: the assertions below, and no state without a way on
 *   ./pan -a -N ends     liveness: under every fair schedule the last word is told (-f)
 */

#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef ITEMS
#define ITEMS 3
#endif
#ifndef CANCELS
#define CANCELS 1
#endif

/* Claims: the cursor, and a run of items a worker: the first and how many. */
byte cursor;
bool stopping;
typedef Run { byte first; byte count };
Run held[WORKERS];
bool refilling[WORKERS];

/* What a worker writes of its own. */
byte succeeded[WORKERS];
byte cancelled;

/* The election. */
byte pending;

/* The crew: threads inside, whether the door is shut, and the parts whose end is open. */
byte inside;
bool shut;
bool called;
byte open_ends = 1;
bool closed;

/* What the assertions look at. */
byte settled[ITEMS];  /* how often each item settled */
byte deliverers;      /* threads that are telling */
byte told;            /* the last X told */
bool last_word;       /* the final state was told */
byte flushed;         /* items whose worker has flushed */
byte unflushed[WORKERS];
bool cancel_returned;
byte started_late;    /* items started since then */

#define any_left (cursor < ITEMS || held[0].count > 0 || held[1].count > 0 || (WORKERS > 2 && held[WORKERS - 1].count > 0))

/* Adds up the words one by one, cancelled first, and tells every step up to the sum. */
inline deliver(answered) {
  deliverers++;
  assert(deliverers == 1);
  seen_cancelled = cancelled;
  sum = 0;
  i = 0;
  do
  :: i < WORKERS -> sum = sum + succeeded[i]; i++
  :: else -> break
  od;
  assert(sum >= told && sum + seen_cancelled <= ITEMS);
  do
  :: told < sum -> assert(!closed); told++; last_word = (told == ITEMS)
  :: else -> break
  od;
  if
  :: sum + seen_cancelled == ITEMS && seen_cancelled > 0 && !last_word -> last_word = true
  :: else
  fi;
  atomic { deliverers--; i = 0; sum = 0; seen_cancelled = 0 }
}

inline flush() {
  atomic {
    answered = (pending == 0 -> 1 : 0);
    pending++;
    flushed = flushed + unflushed[me];
    unflushed[me] = 0
  };
  do
  :: answered == 0 -> break
  :: else ->
    deliver(answered);
    atomic {
      pending = pending - answered;
      answered = pending;
      assert(pending > 0 || told >= flushed)  /* all that was flushed has been told */
    }
  od
}

inline settle(item) {
  atomic { settled[item]++; assert(settled[item] == 1) }
}

inline release() {
  atomic { open_ends--; is_last = (open_ends == 0) };
  if
  :: is_last -> assert(!closed); closed = true
  :: else
  fi
}

inline enter() {
  atomic { got_in = !shut; if :: got_in -> inside++ :: else fi }
}

/* The last one out, when nothing is left, shuts the door and finishes. */
inline leave() {
  do
  :: seen_inside = inside;
    left_work = (seen_inside == 1 -> any_left : true);
    atomic {
      if
      :: inside == seen_inside ->
        if
        :: seen_inside == 1 && !left_work -> inside = 0; shut = true; finishes = true
        :: else -> inside--; finishes = false
        fi;
        seen_inside = 0; left_work = false;
        break
      :: else
      fi
    }
  od;
  if
  :: finishes ->
    flush();
    assert(last_word && told + cancelled == ITEMS);
    release()
  :: else
  fi
}

inline refill() {
  refilling[me] = true;
  refilled = false;
  if
  :: stopping
  :: else ->
    do  /* two at a time from the cursor */
    :: atomic {
        cursor < ITEMS ->
        length = (ITEMS - cursor >= 2 -> 2 : 1);
        first = cursor;
        cursor = cursor + length
      };
      atomic { held[me].first = first; held[me].count = length; first = 0; length = 0; refilled = true }; break
    :: cursor >= ITEMS ->
      victim = 0;
      do  /* the later half of what another has */
      :: victim == WORKERS -> break
      :: victim < WORKERS && victim != me ->
        atomic {
          if
          :: held[victim].count > 0 ->
            length = (held[victim].count + 1) / 2;
            held[victim].count = held[victim].count - length;
            first = held[victim].first + held[victim].count;
            refilled = true
          :: else
          fi
        };
        if
        :: refilled -> atomic { held[me].first = first; held[me].count = length; first = 0; length = 0; victim = 0 }; break
        :: else -> victim++
        fi
      :: victim < WORKERS && victim == me -> victim++
      od;
      break
    od
  fi;
  refilling[me] = false
}

proctype Worker(byte me) {
  byte i, sum, seen_cancelled, answered, seen_inside, first, length, victim;
  bool got_in, left_work, finishes, refilled, is_last, got_item;
  do
  :: !shut && (any_left || called) ->  /* nobody comes who has not been called */
    called = false;
    enter();
    if
    :: !got_in -> break
    :: else
    fi;
    do
    :: refill();
      if
      :: !refilled -> break
      :: else
      fi;
      do
      :: atomic {
          got_item = held[me].count > 0;
          if
          :: got_item ->
            first = held[me].first; held[me].first++; held[me].count--;
            started_late = started_late + (cancel_returned -> 1 : 0);
            assert(started_late == 0)
          :: else
          fi
        };
        if
        :: !got_item -> break
        :: else
        fi;
        settle(first);
        atomic { succeeded[me]++; unflushed[me]++; first = 0 };
        if  /* a long item is told at once, short ones when the run ends */
        :: flush()
        :: skip
        fi
      od;
      flush()
    od;
    leave()
  :: shut -> break
  od
}

proctype Canceller() {
  byte i, sum, seen_cancelled, answered, seen_inside, first, length, worker, me;
  bool got_in, left_work, finishes, is_last;
  enter();
  if
  :: !got_in -> goto done
  :: else
  fi;
  atomic { open_ends++ };
  stopping = true;
  atomic { first = cursor; length = ITEMS - cursor; cursor = ITEMS };
  do
  :: length > 0 -> settle(first); first++; length--; cancelled++
  :: else -> break
  od;
  worker = 0;
  do
  :: worker < WORKERS ->
    !refilling[worker];
    atomic {
      first = held[worker].first;
      length = held[worker].count;
      held[worker].count = 0
    };
    do
    :: length > 0 -> settle(first); first++; length--; cancelled++
    :: else -> break
    od;
    worker++
  :: else -> break
  od;
  atomic { inside--; is_last = (inside == 0) };
  if
  :: is_last -> called = true  /* leaves the end to a worker */
  :: else
  fi;
  release();
  cancel_returned = true;
done:
  skip
}

init {
  byte w = 0;
  atomic {
    do
    :: w < WORKERS -> run Worker(w); w++
    :: else -> break
    od;
    if
    :: CANCELS -> run Canceller()
    :: else
    fi
  };
  closed;
  assert(last_word && told + cancelled == ITEMS && deliverers == 0);
}

ltl ends { <> closed }
