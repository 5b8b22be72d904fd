# SPDX-License-Identifier: MIT
# Draws what xofn_speed --lines has written into the current directory.
set style data linespoints
set grid ytics lc "#dddddd"
set border 3 lc "#555555"
set tics nomirror

# A file has a line of the picture in each block, under its name in quotes.
count(file) = int(system("grep -c '^\"' '" . file . "'"))
name(file, i) = system(sprintf("sed -n 's/^\"\\(.*\\)\"$/\\1/p' '%s' | sed -n %dp", file, i))

# Each has its colour in all pictures, xofn and what it is made of the strongest.
colour(name) = name eq "xofn" || name eq "xofn every()" || name eq "AtomicCounter" ? "#0b5cad" : \
               name eq "xofn on_completion" || name eq "ShardedCounter" ? "#58a6e0" : \
               name eq "oneTBB parallel_for" || name eq "MutexCounter" ? "#d9822b" : \
               name eq "oneTBB task_group" ? "#e8b07a" : \
               name eq "oneTBB pipeline" ? "#a35f16" : \
               name eq "OpenMP dynamic,1" ? "#3d9a50" : \
               name eq "OpenMP dynamic,64" ? "#93c99e" : \
               name eq "Asio thread_pool" ? "#b0413e" : \
               name eq "moodycamel + threads" ? "#7b5ea7" : \
               name eq "std::async" ? "#6b7680" : "#999999"
is_ours(name) = name[1:4] eq "xofn" || strstrt(name, "Counter") > 0
width(name) = is_ours(name) ? 3 : 1.3
dashes(name) = name eq "fetch_add and a load" ? 3 : name eq "bare mutex" ? 2 : 1
machine = system("cat machine") . ", by ./dev bench"

set terminal svg size 940,460 noenhanced font "sans-serif,12" background "white"
set output "item_cost.svg"
set multiplot layout 1,2 title machine font ",11"
set key right bottom reverse Left samplen 1.5 font ",10"
set logscale xy
set xlabel "work of an item"
set ylabel "time of the batch / items"
# No work at all has no place on such an axis, and is shown at the left end.
set xtics ("none" 20, "100 ns" 1e2, "1 us" 1e3, "10 us" 1e4, "1 ms" 1e6)
set ytics ("1 ns" 1, "10 ns" 10, "100 ns" 1e2, "1 us" 1e3, "10 us" 1e4, "100 us" 1e5, "1 ms" 1e6)
set xrange [14:2e6]
set yrange [0.5:2e6]
do for [picture in "'nobody told' 'every step told'"] {
  file = picture . ".dat"
  set title picture
  plot for [i = 1:count(file)] file index i - 1 using ($1 == 0 ? 20 : $1):2 \
    title columnheader(1) lc rgb colour(name(file, i)) lw width(name(file, i)) pt 7 ps 0.4
}
unset multiplot

reset
set style data linespoints
set grid ytics lc "#dddddd"
set border 3 lc "#555555"
set tics nomirror
set terminal svg size 640,360 noenhanced font "sans-serif,12" background "white"
set output "increments.svg"
set title machine font ",11"
set key outside right center reverse Left samplen 2
set xlabel "threads"
set ylabel "ns an increment, all threads together"
set xtics 1
set xrange [0.8:*]
set yrange [0:*]
file = "increments.dat"
plot for [i = 1:count(file)] file index i - 1 using 1:2 title columnheader(1) \
  dt dashes(name(file, i)) lc rgb colour(name(file, i)) lw width(name(file, i)) pt 7 ps 0.6
