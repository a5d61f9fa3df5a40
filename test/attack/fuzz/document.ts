import {readFileSync, writeFileSync} from 'node:fs'
import {format, resolveConfig} from 'prettier'
import {PARSERS} from './catalog.js'
import type {PropertySums} from './properties.js'
import type {Rotation} from './rotation.js'

const PAGE = 'docs/fuzzing.md'

const number = (value: number) => Math.round(value).toLocaleString('en-US')

function parserTable({sums}: Rotation): string {
  const rows = PARSERS.map(({name, reads}) => {
    const sum = sums[name]
    if (sum === undefined) return `| ${name} | ${reads} | 0 | | | | |`
    const {cases, accepted, refused, cpuSeconds, commit} = sum
    return `| ${name} | ${reads} | ${number(cases)} | ${number(accepted)} | ${number(refused)} | ${number(cpuSeconds)} | ${commit} |`
  })
  const all = Object.values(sums)
  const total = all.reduce((sum, {cases}) => sum + cases, 0)
  const seconds = all.reduce((sum, {cpuSeconds}) => sum + cpuSeconds, 0)
  const finds = all.reduce((sum, each) => sum + each.finds.length, 0)
  const mended = all.reduce((sum, each) => sum + (each.mended ?? 0), 0)
  return `${number(total)} mutants in ${number(seconds)} s, ${number(finds)} open finds, ${number(mended)} mended.

| parser | reads | mutants | accepted | refused | seconds | last at commit |
|---|---|--:|--:|--:|--:|---|
${rows.join('\n')}`
}

function propertyTable(sums: PropertySums): string {
  const rows = Object.entries(sums)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(
      ([file, {cases, seconds, failures, commit}]) =>
        `| ${file.replace(/\.js$/, '.ts')} | ${number(cases)} | ${number(seconds)} | ${failures} | ${commit} |`,
    )
  return `| test file | cases of each property | seconds | turns that failed | last at commit |
|---|--:|--:|--:|---|
${rows.join('\n')}`
}

/** Puts a table of the page, between its two marks, in place of the one before. */
function replaced(page: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${PAGE} has no place for ${name}.`)
  return `${page.slice(0, from)}${begin}\n\n${table}\n\n${page.slice(to)}`
}

/** Writes what the long runs came to into the page that tells it. */
export async function writeDocument(known: {
  readonly rotation?: Rotation
  readonly properties?: PropertySums
}): Promise<void> {
  const {rotation, properties} = known
  let page = readFileSync(PAGE, 'utf8')
  if (rotation !== undefined) page = replaced(page, 'parsers', parserTable(rotation))
  if (properties !== undefined) page = replaced(page, 'properties', propertyTable(properties))
  const config = await resolveConfig(PAGE)
  writeFileSync(PAGE, await format(page, {...config, filepath: PAGE}))
}
