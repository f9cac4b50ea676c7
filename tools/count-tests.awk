# count-tests.awk - counts the tests, not the programs, of meson's testlog.txt: each cmocka test is one,
# a program that is not cmocka's is one, and a program that died is one more.  Prints "PASSED FAILED SKIPPED".

function close_program(    ok, broken)
{
	if (!open)
		return
	ok = result ~ /exit status 0($|[^0-9])/
	if (result ~ /exit status 77($|[^0-9])/) {
		skipped++
	} else if (good + bad + left == 0) {
		passed += ok
		failed += !ok
	} else {
		passed += good
		skipped += left
		failed += bad > 0 ? bad : !ok
	}
	open = 0
}

/^=+ [0-9]+\/[0-9]+ =+$/ {
	close_program()
	open = 1
	result = ""
	good = bad = left = 0
	delete seen
	next
}

/^result: / { result = $0 }
/^\[       OK \] / { good++ }
/^\[  SKIPPED \] / && !/: [0-9]+ test/ && !seen[$NF]++ { left++ }
/^\[  FAILED  \] / && !/: [0-9]+ test/ && !seen[$NF]++ { bad++ }

END {
	close_program()
	print passed + 0, failed + 0, skipped + 0
}
