# gstat by turns with the tasks: reads one call of a function below a line, and answers one line each with
# the seconds that gstat alone took. Started by peer.mjs; data are files of doubles, row by row.
suppressPackageStartupMessages({ library(sp); library(gstat) })

rows <- function(file, names) {
  numbers <- readBin(file, "double", file.size(file) / 8)
  table <- as.data.frame(matrix(numbers, ncol = length(names), byrow = TRUE))
  names(table) <- names
  table
}
quietly <- function(e) { sink(nullfile()); on.exit(sink()); suppressWarnings(force(e)) }

load <- function(folder, dimension) {
  folder <<- folder
  axes <- c("x", "y", "z")[seq_len(dimension)]
  places <<- as.formula(paste("~", paste(axes, collapse = " + ")))
  samples <<- rows(file.path(folder, "samples.bin"), c(axes, "v"))
  if (file.exists(file.path(folder, "targets.bin"))) {
    targets <<- rows(file.path(folder, "targets.bin"), axes)
  }
  0
}
# Times an estimation, and leaves what it found for comparison.
estimated <- function(e) {
  seconds <- system.time(found <- quietly(e))[["elapsed"]]
  writeBin(found$var1.pred, file.path(folder, "values.bin"))
  if ("var1.var" %in% names(found)) {
    writeBin(as.double(found$var1.var), file.path(folder, "variances.bin"))
  }
  seconds
}
kriged <- function(nugget, contribution, range, nmax) {
  estimated(krige(v ~ 1, places, samples, targets, vgm(contribution, "Sph", range, nugget = nugget),
                  nmax = nmax))
}
blocks <- function(nugget, contribution, range, nmax, ...) {
  centres <- lapply(list(...), function(axis) {
    ((seq_len(axis[1]) - 0.5) / axis[1] - 0.5) * axis[2]
  })
  sub <- expand.grid(centres)
  names(sub) <- all.vars(places)
  estimated(krige(v ~ 1, places, samples, targets, vgm(contribution, "Sph", range, nugget = nugget),
                  nmax = nmax, block = sub))
}
weighted <- function(power, nmax) {
  estimated(idw(v ~ 1, places, samples, targets, idp = power, nmax = nmax))
}
compared <- function(width, cutoff) {
  seconds <- system.time(
    found <- quietly(variogram(v ~ 1, places, samples, width = width, cutoff = cutoff))
  )[["elapsed"]]
  writeBin(found$gamma, file.path(folder, "values.bin"))
  seconds
}

input <- file("stdin")
open(input)
while (length(line <- readLines(input, n = 1)) > 0) {
  cat(format(eval(parse(text = line)), digits = 15), "\n")
  flush(stdout())
}
