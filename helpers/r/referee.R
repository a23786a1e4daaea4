# The referee: an R in a process of its own, started by session.py as `Rscript --vanilla referee.R`.
#
# It reads requests from its input and writes one reply to each, in R's own serialization as text. Nothing that R cells,
# start-up files or the shell have set reaches it, and a formula that might leave a trace here ends it with its answer.

local({
  for (name in c("C.UTF-8", "C.utf8", "en_US.UTF-8", "UTF-8", ".UTF-8")) {  # text is UTF-8, whatever the shell says
    if (l10n_info()[["UTF-8"]]) break
    suppressWarnings(Sys.setlocale("LC_CTYPE", name))
  }
  # Functions that leave no trace. After a formula that calls any other, this R is not asked again.
  harmless <- c("~", "+", "-", "*", "/", "^", ":", "%in%", "%%", "%/%", "(", "[", "==", "!=", "<", "<=", ">", ">=", "!",
                "&", "|", "I", "abs", "sqrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "tanh",
                "plogis", "qlogis", "round", "floor", "ceiling", "pmin", "pmax", "sum", "mean", "var", "sd", "min", "max",
                "c", "rep", "seq", "cbind", "poly", "scale", "offset", "cut", "ifelse", "is.na", "is.integer", "factor",
                "ordered", "relevel", "interaction", "as.factor", "as.character", "as.integer", "as.numeric")

  # A formula is parsed, not evaluated, until it is known to be one. It sees the data and the packages R starts with.
  formula_of <- function(text) {
    refused <- function(...) list(kind = "no formula", message = paste0(...))
    no_formula <- 'not a formula: {}. Write a response, a tilde and the predictors, such as "c ~ u"'
    expression <- tryCatch(parse(text = text, keep.source = FALSE), error = conditionMessage)
    if (is.character(expression))
      return(refused(no_formula, ". R: ", expression))
    if (length(expression) != 1L || !is.call(expression[[1L]]) || !identical(expression[[1L]][[1L]], as.name("~")))
      return(refused(no_formula, if (grepl("\n", text)) ". A line that goes on ends in an operator, as in c ~ u +"))
    if (length(expression[[1L]]) != 3L)
      return(refused('{} has no response: write one on the left of the tilde, such as "c ~ u"'))
    list(kind = "formula", formula = as.formula(expression[[1L]], env = new.env(parent = parent.env(globalenv()))))
  }

  texts_in <- function(expression) {  # x in get("x") is a name, too, if it is a column's
    if (is.character(expression)) expression
    else if (is.call(expression)) unlist(lapply(as.list(expression), texts_in))
  }

  functions_in <- function(expression) {
    if (is.call(expression))
      c(deparse(expression[[1L]], nlines = 1L), unlist(lapply(as.list(expression)[-1L], functions_in)))
  }

  names_in <- function(text) {
    read <- formula_of(text)
    if (read$kind != "formula") return(read)
    texts <- c(texts_in(read$formula), all.names(read$formula))  # all.vars() skips the x of ecdf(x)(z)
    list(kind = "names", names = all.vars(read$formula), texts = as.character(texts))
  }

  column <- function(x, name) {
    if (!is.list(x)) return(x)  # a category is codes, what the codes stand for, and whether these have an order
    labels <- as.character(x[[2L]])
    if (anyDuplicated(labels))
      stop("two categories of column '", name, "' are '", labels[duplicated(labels)][1L], "' to R", call. = FALSE)
    structure(x[[1L]], levels = labels, class = c(if (x[[3L]]) "ordered", "factor"))
  }

  table_of <- function(estimates, about) {  # a coefficient that is not determined has a row of NA
    table <- matrix(NA_real_, length(estimates), 4L)
    table[!about$aliased, ] <- about$coefficients
    as.vector(table)
  }

  lm_reply <- function(formula, data, settings) {
    fit <- lm(formula, data, na.action = na.omit, tol = c(settings$tol, formals(lm.fit)$tol)[1L])
    response <- fit$model[[1L]]
    if (is.matrix(response) && ncol(response) > 1L)
      stop("the response has more than one column", call. = FALSE)
    if (!is.numeric(response) && !is.logical(response))
      stop("the response is not numeric", call. = FALSE)
    about <- summary(fit)
    estimates <- coef(fit)
    tail <- (1 - 0.95) / 2  # as in confint(), which would make the summary anew
    interval <- estimates + sqrt(diag(vcov(about))) %o% suppressWarnings(qt(c(tail, 1 - tail), fit$df.residual))
    residuals <- as.vector(residuals(fit))
    list(terms = as.character(names(estimates)), table = table_of(estimates, about), interval = as.vector(interval),
         residuals = residuals, fitted = as.vector(fitted(fit)), rows = as.integer(names(fitted(fit))),
         sigma = about$sigma, df_residual = fit$df.residual, r_squared = about$r.squared,
         adj_r_squared = about$adj.r.squared, mse = sum(residuals^2) / length(residuals))
  }

  glm_reply <- function(formula, data, settings) {
    family <- getExportedValue("stats", settings$family)()
    control <- do.call(glm.control, settings[names(settings) != "family"])
    fit <- glm(formula, family, data, control = control, na.action = na.omit)
    about <- summary(fit)
    list(terms = as.character(names(coef(fit))), table = table_of(coef(fit), about),
         columns = colnames(about$coefficients), fitted = as.vector(fitted(fit)), rows = as.integer(names(fitted(fit))),
         deviance = fit$deviance, null_deviance = fit$null.deviance, df_residual = fit$df.residual,
         df_null = fit$df.null, dispersion = about$dispersion, aic = fit$aic, iterations = as.integer(fit$iter),
         converged = fit$converged)
  }

  fit <- function(question, rows, names, columns, setting_names, settings) {
    data <- structure(Map(column, columns, names), names = names, row.names = .set_row_names(rows), class = "data.frame")
    names(settings) <- setting_names
    reply <- list(lm = lm_reply, glm = glm_reply)[[question[1L]]](formula_of(question[2L])$formula, data, settings)
    c(list(kind = "fit"), reply)
  }

  answer <- function(request) {
    heard <- character()
    listen <- function(w) {
      heard <<- c(heard, conditionMessage(w))
      invokeRestart("muffleWarning")
    }
    handle <- function() {
      if (!l10n_info()[["UTF-8"]] && any(Encoding(as.character(unlist(request))) == "UTF-8"))
        stop("text beyond ASCII needs a UTF-8 locale, which R does not find here: install en_US.UTF-8", call. = FALSE)
      switch(request[[1L]][1L], hello = list(kind = "hello", version = R.version.string),
             names = names_in(request[[1L]][2L]), do.call(fit, request))
    }
    reply <- tryCatch(withCallingHandlers(handle(), warning = listen),
                      error = function(e) list(kind = "error", message = conditionMessage(e)))
    formula <- if (request[[1L]][1L] %in% c("lm", "glm")) formula_of(request[[1L]][2L])$formula
    c(reply, list(warnings = heard, spent = !all(functions_in(formula) %in% harmless)))
  }

  input <- file("stdin", "rb")
  while (length(marker <- readLines(input, 1L))) {
    if (!nzchar(marker)) next  # the end of the last request's line
    reply <- answer(unserialize(input))
    while (sink.number()) sink()  # a formula's
    reply <- list(names(reply), unname(reply))
    cat("\n", marker, "\n", rawToChar(serialize(reply, NULL, ascii = NA, version = 2L)), sep = "")
  }
  # Python is gone, perhaps killed: so goes the folder that it made for R, if nothing else is in it.
  unlink(tempdir(), recursive = TRUE)
  suppressWarnings(file.remove(dirname(tempdir())))
})
