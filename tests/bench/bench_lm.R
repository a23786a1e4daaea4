# Fits in R, for bench.py: what bench_solver.py does for torch, with lm(), lm.fit() or glm().
#     Rscript tests/bench/bench_lm.R lm|lm.fit|glm FILE

given <- commandArgs(trailingOnly = TRUE)
with_formula <- given[1] != "lm.fit"
warm_up <- if (given[1] == "glm") 100 else 2  # rows for a column; few rows of yes and no would be separable

status <- function(field) {
  if (!file.exists("/proc/self/status")) return(NA)
  line <- grep(paste0("^", field, ":"), readLines("/proc/self/status"), value = TRUE)
  1024 * as.numeric(gsub("[^0-9]", "", line))
}

load <- function(rows, columns) {
  table <- matrix(readBin(given[2], "double", rows * (columns + 1)), rows, byrow = TRUE)
  X <- table[, seq_len(columns)]
  y <- table[, columns + 1]
  if (with_formula) data.frame(y = y, X[, -1, drop = FALSE]) else list(X = X, y = y)  # lm() adds the ones itself
}

solve_on <- function(data) {
  if (given[1] == "glm") return(coef(glm(y ~ ., binomial, data)))
  if (with_formula) coef(lm(y ~ ., data = data)) else lm.fit(data$X, data$y)$coefficients
}

first_rows <- function(data, rows) {
  if (with_formula) data[seq_len(rows), ] else list(X = data$X[seq_len(rows), ], y = data$y[seq_len(rows)])
}

asked <- file("stdin", "r")
while (length(line <- readLines(asked, n = 1)) > 0) {
  words <- strsplit(line, " ")[[1]]
  if (words[1] == "load") {
    data <- NULL  # what was held goes before the next comes
    invisible(gc())
    data <- load(as.integer(words[2]), as.integer(words[3]))
    invisible(solve_on(first_rows(data, warm_up * as.integer(words[3]))))
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
