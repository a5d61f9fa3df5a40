import {KINDS} from './kinds.js'
import {trialsOf, type FaultReport, type Pair} from './run-faults.js'

/** What was tried, as a table. */
export function countsOf({pairs}: Pick<FaultReport, 'pairs'>): string {
  const rows = KINDS.flatMap(({name, summary}) => {
    const own = pairs.filter(({kind, trials}) => kind === name && trials > 0)
    if (own.length === 0) return []
    return [`| ${name} | ${summary} | ${own.length} | ${trialsOf(own)} | ${wrongOf(own)} |`]
  })
  return [
    '| Kind | What happens | Directions | Times | Wrong |',
    '|---|---|---|---|---|',
    ...rows,
    `| **all** | | | **${trialsOf(pairs)}** | **${wrongOf(pairs)}** |`,
    '',
  ].join('\n')
}

function wrongOf(pairs: readonly Pair[]): number {
  return pairs.reduce((sum, {wrong}) => sum + wrong.length, 0)
}

export function toDocument(counts: string): string {
  return `# When the disk, the system or the user fails

\`npm run faults\` lets conversions fail at many moments and checks what they leave. It converts archives, repositories, AppX
packages, OCI layouts and transport layouts into each other, into new places and into places that already hold something.
After every fault it checks that:

- the command ends with exit 4 and the code of the fault, exit 130 after an interrupt, or exit 0 with the full result; never 70;
- the destination is byte for byte as before, or holds the full result. A killed run of several packages may leave some of
  them, each whole. Nothing that was there is lost;
- the same command then succeeds, gives exactly the result of an undisturbed run, leaves nothing else behind, and
  \`transship verify\` accepts it.

System calls fail through a small library that is loaded into the process (\`test/faults/fault-shim.c\`). The disk is a file
system in memory. \`npm test\` tries a sample of every kind.

${counts}
\`npm run faults -- --resume test/long-runs/faults.jsonl --write\` wrote this table. The file tells at which commit each kind was tried.
\`--kind\`, \`--direction\`, \`--each\`, \`--kills\` and \`--seed\` choose what is tried.
`
}
