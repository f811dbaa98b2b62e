# Counts the results in the output of AVA's default reporter; usage: .ci/summary.
# A run ends with AVA's closing lines ("7 tests passed", "1 uncaught exception"). A run behind the line "Run again, …" judges anew the files
# in which the one before it failed; it may leave out the beginning of a title, the way to the file.

function close_run() { failed += failures; failures = 0; ended = 0; again = 0; delete ok; delete suspects }
function result() { if (ended) close_run() }

/^ *✔ / {
  result()
  name = $0
  sub(/^ *✔ /, "", name)
  sub(/ \([0-9][0-9a-z. ]*\)$/, "", name)
  if (!(again && name in ok)) passed++
  if (again) for (line in suspects) if (index(line, name)) { steadied[line]; delete suspects[line] }
  ok[name]
  while (at = index(name, " › ")) { name = substr(name, at + length(" › ")); ok[name] }
}
/^ *✘ \[(fail|unexpected pass)\]: / {
  result()
  failures++
  line = $0
  sub(/^ *✘ \[[a-z ]*\]: /, "", line)
  if (!again) suspects[line]
  if (crosses++ < 40) shown[crosses] = $0
}
# AVA tells how many passed only if none failed, and how many failed only at the end; each has its line in any case.
/^ *[0-9]+ tests? (passed|failed)$/ { ended = 1 }
/^ *[0-9]+ (uncaught exceptions?|unhandled rejections?|tests? remained pending after a timeout)$/ { ended = 1; failures += $1 }
/^ *[0-9]+ tests? skipped$/ { skipped += $1 }
/^ *[0-9]+ tests? todo$/ { todo += $1 }
/^ *[0-9]+ known failures?$/ { expected += $1 }
/^ *Run again, one file at a time: / { again = 1; ended = 0; failures = 0 }

# AVA describes the failures of a run between two rules. Of each run 60 lines are enough to begin with.
/^ *─$/ { described = 0; inside = !inside; next }
/^ *[0-9]+ tests? (passed|failed)$/ { inside = 0 }
inside && (described || NF) && described++ < 60 { details[++lines] = $0 }

END {
  close_run()
  # A linter that complained, a file that crashed, a run that was cut off: something failed even where no test did.
  if (failed == 0 && (status != 0 || passed == 0)) failed = 1
  if (failed > 0 || length(steadied) > 0) {
    for (i = 1; i <= lines; i++) print details[i]
    for (i = 1; i <= crosses && i <= 40; i++) print shown[i]
  }
  for (line in steadied) print "passed when it was run again: " line
  if (skipped + todo + expected > 0)
    print skipped + 0 " skipped, " todo + 0 " still to be written, " expected + 0 " failed as expected"
  if (status == 124) print "the run was cut off: it took too long"
  print passed + 0 " passed, " failed + 0 " failed"
  exit failed > 0
}
