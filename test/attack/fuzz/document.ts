import {writeFileSync} from 'node:fs'
import {format, resolveConfig} from 'prettier'
import {PARSERS} from './catalog.js'
import type {Rotation} from './rotation.js'

const PAGE = 'docs/fuzzing.md'

/** The sums of a rotation, as a page of the docs. */
function toDocument({seed, sums}: Rotation): string {
  const rows = PARSERS.map(({name, reads}) => {
    const sum = sums[name]
    if (sum === undefined) return `| ${name} | ${reads} | 0 | | | |`
    const {cases, accepted, refused, cpuSeconds} = sum
    return `| ${name} | ${reads} | ${cases.toLocaleString('en-US')} | ${accepted.toLocaleString('en-US')} | ${refused.toLocaleString('en-US')} | ${Math.round(cpuSeconds)} |`
  })
  const all = Object.values(sums)
  const total = all.reduce((sum, {cases}) => sum + cases, 0).toLocaleString('en-US')
  const seconds = Math.round(all.reduce((sum, {cpuSeconds}) => sum + cpuSeconds, 0))
  return `# Mutants for every parser

\`npm run fuzz\` makes mutants for each of ${PARSERS.length} parsers. [security.md](security.md#fuzzing-and-hostile-input) says what counts as a
find. Every parser accepts its own input before anybody mutates it, which \`npm test\` checks, so that mutants get behind the first
check; where a digest covers what was changed, every digest above it is made to fit.

\`npm run fuzz -- --resume FILE --minutes 1\` takes the parser with the least time, again and again, and adds up in FILE. Minutes are
those of processors: a machine that has much else to do makes no finds. With \`--write\`, the sums are written to this page. They
are those of one run with seed ${seed} at the last change of the generators: ${total} mutants in ${seconds} s. None of
its finds is open.

| parser | reads | mutants | accepted | refused | seconds |
|---|---|---|---|---|---|
${rows.join('\n')}
`
}

export async function writeDocument(rotation: Rotation): Promise<void> {
  const config = await resolveConfig(PAGE)
  writeFileSync(PAGE, await format(toDocument(rotation), {...config, filepath: PAGE}))
}
