# What R within Python needs for `%%R` cells: cells.py runs this once, and then the two functions that it ends with.
local({
  read_utf8 <- function() {  # in each cell: Python code may have set the shell's locale in between
    for (name in c("C.UTF-8", "C.utf8", "en_US.UTF-8", "UTF-8", ".UTF-8"))  # as in referee.R
      if (!grepl("UTF-?8", Sys.getlocale("LC_CTYPE"), TRUE)) suppressWarnings(Sys.setlocale("LC_CTYPE", name))
  }
  read_utf8()
  if (Sys.info()[["sysname"]] == "Linux" && capabilities("cairo")) options(bitmapType = "cairo")  # no screen needed
  for (name in c("q", "quit")) {
    unlockBinding(name, baseenv())
    assign(name, function(...) stop("q() would end Python as well: restart the kernel instead", call. = FALSE), baseenv())
    lockBinding(name, baseenv())
  }

  words <- function(kind, condition) {  # as R prints them
    call <- conditionCall(condition)
    ours <- list(quote(eval(cell_expression, globalenv())), quote(parse(text = text, keep.source = FALSE)))
    where <- if (is.null(call) || list(call) %in% ours) ": " else paste0(" in ", deparse(call, nlines = 1L), " : ")
    paste0(kind, where, conditionMessage(condition))
  }
  warned <- function(condition) {  # where it occurs, and not after the cell
    if (!getOption("warn") %in% 0:1) return()
    cat(words("Warning", condition), "\n", sep = "", file = stderr())
    tryInvokeRestart("muffleWarning")
  }
  protect <- function(work, argument) {  # how it ended, "" for well, and what it made
    on.exit(if (grDevices::dev.cur() == 1L) grDevices::pdf(NULL))  # after a dev.off(): rpy2 closes a device, too
    tryCatch(withCallingHandlers(c(list(""), work(argument)), warning = warned),
             error = function(e) list(words("Error", e)), interrupt = function(i) list("stopped"))
  }
  run <- function(text) {
    read_utf8()
    value <- list(value = NULL, visible = FALSE)
    for (cell_expression in parse(text = text, keep.source = FALSE))
      value <- withVisible(eval(cell_expression, globalenv()))
    value
  }
  show <- function(x) {
    print(x)
    list()
  }
  list(function(text) protect(run, text), function(value) protect(show, value))
}, new.env(parent = .BaseNamespaceEnv))  # R's own functions, whatever a cell has named `c` or `list`
