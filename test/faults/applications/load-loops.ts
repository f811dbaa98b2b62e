/** Never loads: it computes for ever. */
for (;;);
