# gnuplot results/halfcheetah-300k/plot.gp   (from the top of the repository)  ->  results/halfcheetah-300k/figure.svg
set terminal svg size 900,1000 font "sans,13" background rgb "white"
set output "results/halfcheetah-300k/figure.svg"
folder = "results/halfcheetah-300k/"
set datafile separator ","
set format x "%.0fk"
set xrange [0:300]
set grid lc rgb "#dddddd"
set key top left
set multiplot layout 3,1

set title "HalfCheetah-v4: return of 10 noise-free episodes"
set ylabel "return"
plot folder."td3-anchor-s0/eval.csv" using (column("step")/1000):"mean" with lines lw 2 lc rgb "#1f77b4" title "td3-anchor, seed 0", \
     folder."td3-anchor-s1/eval.csv" using (column("step")/1000):"mean" with lines lw 2 lc rgb "#17becf" title "td3-anchor, seed 1", \
     folder."td3-anchor-s2/eval.csv" using (column("step")/1000):"mean" with lines lw 2 lc rgb "#7f7f7f" title "td3-anchor, seed 2", \
     folder."td3-s0/eval.csv" using (column("step")/1000):"mean" with lines lw 3 lc rgb "#2ca02c" title "td3 (defaults, 256-128, clipped), seed 0", \
     folder."ne-s0/eval.csv" using (column("step")/1000):"mean" with lines lw 3 lc rgb "#d62728" title "ne (defaults, 256-128, clipped), seed 0"

set key center right
set title "ne: density and activated neuron ratio"
set ylabel "fraction"
set yrange [0:1.05]
plot folder."ne-s0/metrics.csv" using (column("step")/1000):"actor_density" with lines lw 2 lc rgb "#d62728" title "actor density", \
     folder."ne-s0/metrics.csv" using (column("step")/1000):"critic_density" with lines lw 2 dt 2 lc rgb "#8c564b" title "critic density", \
     folder."ne-s0/metrics.csv" using (column("step")/1000):"actor_anr_0" with lines lc rgb "#2ca02c" title "actor anr(0)", \
     folder."ne-s0/metrics.csv" using (column("step")/1000):"critic_anr_0" with lines lc rgb "#98df8a" title "critic anr(0)", \
     folder."ne-s0/metrics.csv" using (column("step")/1000):"critic_fau" with lines lc rgb "#9467bd" title "critic fau"

set title "ne: experience review"
set xlabel "environment steps"
plot folder."ne-s0/metrics.csv" using (column("step")/1000):"review_epsilon" with lines lc rgb "#ff7f0e" title "eps_t", \
     folder."ne-s0/metrics.csv" using (column("step")/1000):"review_probability" with lines lw 2 lc rgb "#1f77b4" title "review probability", \
     folder."ne-s0/metrics.csv" using (column("step")/1000):"review_fraction" with lines lw 2 lc rgb "#2ca02c" title "realised fraction"
unset multiplot
