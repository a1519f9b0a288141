# Makes meuse.cross-validation.json with gstat's krige.cv.
#
#   apt-get install r-base-core r-cran-gstat r-cran-jsonlite
#   Rscript test/tasks/reference/cross-validation.R        (from the root of the repository)
suppressPackageStartupMessages({ library(sp); library(gstat); library(jsonlite) })

meuse <- read.csv("examples/meuse/samples.csv")
meuse$v <- log(meuse$zinc)
coordinates(meuse) <- ~ x + y
model <- vgm(0.6, "Sph", 900, nugget = 0.05)
# Numbers from 1, so that every fold has about as many samples; not in the order of the samples.
folds <- ((seq_len(nrow(meuse)) * 7) %% 10) + 1

validate <- function(...) {
  cv <- suppressWarnings(krige.cv(v ~ 1, meuse, ..., verbose = FALSE))
  d <- as.data.frame(cv)
  ok <- !is.na(d$var1.pred)
  list(estimates = d$var1.pred, variances = d$var1.var, residuals = d$residual, z_scores = d$zscore,
       folds = d$fold,
       summary = list(
         mean_error = mean(d$residual[ok]),
         root_mean_squared_error = sqrt(mean(d$residual[ok]^2)),
         mean_squared_deviation_ratio = mean(d$zscore[ok]^2),
         correlation = cor(d$observed[ok], d$var1.pred[ok]),
         correlation_of_residuals = cor(d$var1.pred[ok], d$residual[ok])))
}
out <- list(
  leave_one_out = validate(model, nmax = 155),
  leave_one_out_of_16 = validate(model, nmax = 16),
  within = validate(model, nmax = 12, nmin = 3, maxdist = 180),
  ten_folds = validate(model, nfold = folds, nmax = 155),
  # With 8 two samples are equally far, and which of them counts is a matter of taste.
  ten_folds_of_7 = validate(model, nfold = folds, nmax = 7),
  simple = validate(model, nfold = folds, nmax = 20, beta = 5.9),
  assignment = folds)
write(toJSON(out, digits = I(13), auto_unbox = TRUE, na = "null"),
      "test/tasks/reference/meuse.cross-validation.json")
