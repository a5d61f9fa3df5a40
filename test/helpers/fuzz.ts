/** Cases that each property is tried with: 500, or what `FUZZ_RUNS` says, which `npm run fuzz` sets to 20,000 with `-- properties`. */
export const FUZZ_RUNS = Number(process.env['FUZZ_RUNS'] ?? 500)
