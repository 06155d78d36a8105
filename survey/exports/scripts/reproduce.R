# Recompute the MOS table from ratings.csv with base R, and compare it with mos.csv.
# Run in the folder of the export:  Rscript reproduce.R
# With the packages lme4 and ordinal it also fits the crossed mixed model and its ordinal counterpart.

# Of each question: low end, high end and step of its scale (step 0: it is continuous).
scales <- list("overall" = c(1, 5, 1))
scale_of <- function(question) if (length(scales) == 1) scales[[1]] else scales[[question]]

# Good or better, poor or worse: the upper and the lower two of five categories.
has_five <- function(scale) scale[3] > 0 && round((scale[2] - scale[1]) / scale[3]) == 4

# All as text: an image may be called NA, 007 or TRUE. Only an empty cell is missing.
read <- function(name) {
  read.csv(name, colClasses = "character", na.strings = "", encoding = "UTF-8", check.names = FALSE)
}
ratings <- read("ratings.csv")
published <- read("mos.csv")
ratings$rating <- as.numeric(ratings$rating)
for (name in setdiff(names(published), c("question", "item", "ci_method"))) {
  published[[name]] <- as.numeric(published[[name]])
}

# Only the main phase counts. Participants whom a researcher left out are in ratings_excluded.csv.
counted <- ratings[!is.na(ratings$phase) & ratings$phase == "main", ]
keys <- intersect(c("question", "item"), names(published))
key_of <- function(rows) do.call(paste, c(unname(as.list(rows[keys])), sep = "\r"))

one_item <- function(rows) {
  u <- rows$rating
  scale <- scale_of(rows$question[1])
  n_i <- as.vector(table(rows$participant))
  t_i <- as.vector(tapply(u, rows$participant, sum))
  n <- length(u)
  k <- length(n_i)
  # The variance of the mean with participants as clusters; s^2/n where each rated once.
  v <- if (k > 1) k / (k - 1) * sum((n * t_i - sum(u) * n_i)^2) / n^4 else NA
  half <- if (!is.na(v) && v > 0) qt(0.975, k - 1) * sqrt(v) else NA
  data.frame(
    n = n, participants = k, mos = mean(u), sd = if (n > 1) sd(u) else NA,
    ci_low = mean(u) - half, ci_high = mean(u) + half, median = median(u),
    gob = if (has_five(scale)) mean(u > scale[2] - 1.5 * scale[3]) else NA,
    pow = if (has_five(scale)) mean(u < scale[1] + 1.5 * scale[3]) else NA, kappa = sum(n_i^2) / n,
    within = sum((u - ave(u, rows$participant))^2)
  )
}

# SOS-Wilson: Wilson's interval with n/a ratings, fewer where participants rated an item again.
bounded <- function(items) {
  low <- scale_of(items$question[1])[1]
  high <- scale_of(items$question[1])[2]
  several <- items$n > 1
  z <- qnorm(0.975)
  p <- (items$mos - low) / (high - low)
  q <- (p * (1 - p))[several]
  a <- sum(q * items$sd[several]^2 / (high - low)^2) / sum(q^2)
  a <- if (sum(several) >= 5 && is.finite(a)) min(max(a, 0.05), 1) else 0.35
  freedom <- sum(items$n - items$participants)
  effect <- rep(1, nrow(items))
  if (freedom > 0) {
    spread <- mean(items$sd[several]^2)
    share <- mean((items$kappa[several] - 1) / (items$n[several] - 1))
    within <- if (freedom >= 10) sum(items$within) / freedom else 0
    rho <- 1
    if (share < 1 && spread > 0) {
      people <- max((spread - share * within) / (1 - share), 0)
      rho <- if (people > 0) min(max(1 - within / people, 0), 1) else 0
      a <- min(max(a * people / spread, 0.05), 1)
    }
    effect <- 1 + (items$kappa - 1) * rho
  }
  size <- items$n / (a * effect)
  centre <- (p + z^2 / (2 * size)) / (1 + z^2 / size)
  half <- z * sqrt(p * (1 - p) / size + z^2 / (4 * size^2)) / (1 + z^2 / size)
  items$bounded_low <- pmax(low + (high - low) * (centre - half), low)
  items$bounded_high <- pmin(low + (high - low) * (centre + half), high)
  items
}

parts <- split(counted, factor(key_of(counted), unique(key_of(counted))))
recomputed <- do.call(rbind, lapply(parts, one_item))
first <- counted[match(names(parts), key_of(counted)), keys, drop = FALSE]
recomputed <- cbind(first, recomputed)
of_question <- if ("question" %in% keys) recomputed$question else rep("", nrow(recomputed))
recomputed <- do.call(rbind, lapply(split(recomputed, of_question), bounded))
rownames(recomputed) <- NULL
columns <- c("n", "participants", "mos", "sd", "bounded_low", "bounded_high", "median")
columns <- c(columns, intersect(c("gob", "pow"), names(published)))
if (all(published$ci_method == "t")) columns <- c(columns, "ci_low", "ci_high")
print(recomputed[c(keys, columns)], digits = 4)

rated <- published[published$n > 0, ]
place <- match(key_of(rated), key_of(recomputed))
if (anyNA(place) || nrow(rated) != nrow(recomputed)) {
  stop("the items of mos.csv and of ratings.csv are not the same")
}
tolerance <- 1e-9 * max(1, sapply(scales, function(scale) scale[2] - scale[1]))
for (name in columns) {
  ours <- recomputed[[name]][place]
  theirs <- rated[[name]]
  if (any(is.na(ours) != is.na(theirs)) || any(abs(ours - theirs) > tolerance, na.rm = TRUE)) {
    stop(name, " of mos.csv is not what ratings.csv gives")
  }
}
cat("mos.csv is reproduced: ", nrow(recomputed), " rows, ", toString(columns), ", to ", tolerance, "\n", sep = "")

# Small or unanimous data do not allow a model; the reason is then printed in its place.
attempt <- function(model) {
  tryCatch(print(summary(model())), error = function(e) cat("not fitted:", conditionMessage(e), "\n"))
}
counted$participant <- factor(counted$participant)
counted$item <- factor(counted$item)
for (question in unique(counted$question)) {
  rows <- droplevels(counted[counted$question %in% question, ])
  cat("\nQuestion", question, "\n")
  if (requireNamespace("lme4", quietly = TRUE)) {
    attempt(function() lme4::lmer(rating ~ 1 + (1 | participant) + (1 | item), data = rows))
  }
  # A continuous scale has no categories.
  if (scale_of(question)[3] > 0 && requireNamespace("ordinal", quietly = TRUE)) {
    rows$rating <- factor(rows$rating, ordered = TRUE)
    attempt(function() ordinal::clmm(rating ~ 1 + (1 | participant) + (1 | item), data = rows))
  }
}
