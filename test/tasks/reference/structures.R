# Makes meuse.structures.json: ordinary kriging with the structures that gstat has not, solved directly.
#
#   apt-get install r-base-core r-cran-jsonlite
#   Rscript test/tasks/reference/structures.R        (from the root of the repository)
#
# The spheroidal model is written down here a second time, from its description: the tangent of the
# Cauchy curve at its inflection point, which is found by a search, and the same value at the range as
# with alpha = 9.
suppressPackageStartupMessages(library(jsonlite))
meuse <- read.csv("examples/meuse/samples.csv")
grid <- read.csv("examples/meuse/grid.csv")
meuse$v <- log(meuse$zinc)
some <- grid[seq(1, nrow(grid), by = 10), ]

cauchy <- function(alpha) function(h) 1 - (1 + h^2)^(-alpha / 2)
unscaled <- function(alpha) {
  g <- cauchy(alpha)
  slope <- function(h) alpha * h * (1 + h^2)^(-alpha / 2 - 1)
  bend <- optimize(slope, c(0, 1), maximum = TRUE, tol = 1e-12)$maximum
  # The tangent passes (0, low): what lies above it becomes the whole.
  low <- g(bend) - slope(bend) * bend
  function(h) (ifelse(h < bend, low + slope(bend) * h, g(h)) - low) / (1 - low)
}
spheroidal <- function(alpha) {
  g <- unscaled(alpha)
  scale <- uniroot(function(s) g(s) - unscaled(9)(1), c(0.5, 5), tol = 1e-14)$root
  function(h) g(scale * h)
}
kriged <- function(unit, range) {
  gamma <- function(d) ifelse(d == 0, 0, 0.05 + 0.6 * unit(d / range))
  p <- as.matrix(meuse[, c("x", "y")]); n <- nrow(p)
  G <- matrix(0, n + 1, n + 1); G[n + 1, 1:n] <- G[1:n, n + 1] <- 1
  G[1:n, 1:n] <- gamma(as.matrix(dist(p)))
  to <- function(i) sqrt((p[, 1] - some$x[i])^2 + (p[, 2] - some$y[i])^2)
  r <- t(sapply(seq_len(nrow(some)), function(i) {
    g0 <- c(gamma(to(i)), 1)
    w <- solve(G, g0)
    c(sum(w[1:n] * meuse$v), sum(w * g0))
  }))
  list(values = r[, 1], variances = r[, 2])
}
h <- c(0.001, 0.05, 0.15, 0.186, 0.19, 0.25, 0.3, 0.32, 0.5, 0.75, 1, 1.5, 3, 10)
out <- list(h = h)
for (alpha in c(3, 5, 7, 9)) {
  for (type in c("generalisedcauchy", "spheroidal")) {
    unit <- get(if (type == "spheroidal") "spheroidal" else "cauchy")(alpha)
    out[[paste0(type, "_", alpha)]] <- c(list(unit = unit(h)), kriged(unit, 700))
  }
}
write(toJSON(out, digits = I(13), auto_unbox = TRUE), "test/tasks/reference/meuse.structures.json")
