# Least squares in R, for .ci/bench.py: what bench_solver.py does for torch, with lm() or lm.fit().
#     Rscript .ci/bench_lm.R lm|lm.fit FILE

given <- commandArgs(trailingOnly = TRUE)
solve_on <- list(
  lm = function(data) coef(lm(y ~ ., data = data)),
  lm.fit = function(data) lm.fit(data$X, data$y)$coefficients
)[[given[1]]]

status <- function(field) {
  if (!file.exists("/proc/self/status")) return(NA)
  line <- grep(paste0("^", field, ":"), readLines("/proc/self/status"), value = TRUE)
  1024 * as.numeric(gsub("[^0-9]", "", line))
}

load <- function(rows, columns) {
  file <- file(given[2], "rb")
  on.exit(close(file))
  X <- matrix(readBin(file, "double", rows * columns), rows)
  y <- readBin(file, "double", rows)
  if (given[1] == "lm.fit") return(list(X = X, y = y))
  data.frame(y = y, X[, -1, drop = FALSE])  # lm() makes the column of ones itself
}

first_rows <- function(data, rows) {
  if (given[1] == "lm") return(data[seq_len(rows), ])
  list(X = data$X[seq_len(rows), ], y = data$y[seq_len(rows)])
}

asked <- file("stdin", "r")
while (length(line <- readLines(asked, n = 1)) > 0) {
  words <- strsplit(line, " ")[[1]]
  if (words[1] == "load") {
    data <- NULL  # what was held goes before the next comes
    invisible(gc())
    columns <- as.integer(words[3])
    data <- load(as.integer(words[2]), columns)
    invisible(solve_on(first_rows(data, 2 * columns)))
    invisible(gc())
    if (file.exists("/proc/self/clear_refs")) try(cat("5", file = "/proc/self/clear_refs"), silent = TRUE)
    before <- status("VmRSS")
    cat("{}\n")
    next
  }
  times <- as.integer(words[2])
  invisible(gc())
  began <- Sys.time()
  for (i in seq_len(times)) found <- solve_on(data)
  seconds <- as.numeric(Sys.time() - began, units = "secs") / times
  above <- status("VmHWM") - before
  cat(sprintf('{"seconds": %.9g, "bytes": %s, "coefficients": [%s]}\n', seconds,
              if (is.na(above)) "null" else sprintf("%.0f", above),
              paste(sprintf("%.17g", unname(found)), collapse = ", ")))
}
