# Recompute the MOS table from ratings.csv with base R, and compare it with mos.csv.
# Run in the folder of the export:  Rscript reproduce.R
# With the packages lme4 and ordinal it also fits the crossed mixed model and its ordinal counterpart.

# Only an empty cell is missing: an image may be called NA.
ratings <- read.csv("ratings.csv", colClasses = c(participant = "character", item = "character"), na.strings = "")
published <- read.csv("mos.csv", colClasses = c(item = "character"), na.strings = "")

# Only the main phase counts. Participants whom a researcher left out are in ratings_excluded.csv.
counted <- ratings[ratings$phase == "main", ]
keys <- if ("question" %in% names(published)) c("question", "item") else "item"

groups <- split(counted, counted[keys], drop = TRUE)
table <- do.call(rbind, lapply(groups, function(group) {
  x <- group$rating
  n <- length(x)
  s <- if (n > 1) sd(x) else NA
  half <- if (!is.na(s) && s > 0) qt(0.975, n - 1) * s / sqrt(n) else NA
  data.frame(group[1, keys, drop = FALSE], n = n, mos = mean(x), sd = s,
             ci_low = mean(x) - half, ci_high = mean(x) + half, median = median(x))
}))
rownames(table) <- NULL
print(table, digits = 4)

both <- merge(published[published$n > 0, ], table, by = keys, suffixes = c(".published", ""))
stopifnot(nrow(both) == nrow(table), nrow(both) == sum(published$n > 0))
columns <- c("n", "mos", "sd", "median")
if (all(published$ci_method == "t")) columns <- c(columns, "ci_low", "ci_high")
for (name in columns) {
  stopifnot(isTRUE(all.equal(both[[name]], both[[paste0(name, ".published")]], tolerance = 1e-9)))
}
cat("mos.csv is reproduced:", nrow(table), "rows\n")

counted$participant <- factor(counted$participant)
counted$item <- factor(counted$item)
for (question in unique(counted$question)) {
  rows <- counted[counted$question == question, ]
  cat("\nQuestion", question, "\n")
  if (requireNamespace("lme4", quietly = TRUE)) {
    print(summary(lme4::lmer(rating ~ 1 + (1 | participant) + (1 | item), data = rows)))
  }
  if (requireNamespace("ordinal", quietly = TRUE)) {
    rows$rating <- factor(rows$rating, levels = 1:5, ordered = TRUE)
    print(summary(ordinal::clmm(rating ~ 1 + (1 | participant) + (1 | item), data = rows)))
  }
}
