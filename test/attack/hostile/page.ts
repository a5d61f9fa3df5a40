import {readFileSync} from 'node:fs'
import {TOOLS, type Tool, type ToolVerdict} from './tools.js'
import type {HostileInput} from './input.js'

export const PAGE = 'docs/hostile.md'

/** What each tool made of one input. */
export type Verdicts = Partial<Readonly<Record<Tool, ToolVerdict>>>

const SIGN = {
  refuses: 'refuses',
  accepts: 'accepts',
  hangs: '**hangs**',
  'writes outside': '**writes outside**',
} as const

/** The versions of the tools, as a sentence. */
export interface Surroundings {
  readonly versions: Readonly<Record<string, string>>
}

/** A name in a cell of a table. */
export function cell(name: string): string {
  return name.replaceAll('|', '\\|').replaceAll('$', '\\$')
}

/** The whole page. */
export function hostilePage(
  inputs: readonly HostileInput[],
  verdicts: ReadonlyMap<string, Verdicts>,
  {versions}: Surroundings,
): string {
  const formats = [...new Set(inputs.map(({format}) => format))]
  const sum = (tool: Tool, wanted: ToolVerdict) => [...verdicts.values()].filter((row) => row[tool] === wanted).length
  const given = (tool: Tool) => [...verdicts.values()].filter((row) => row[tool] !== undefined).length
  const summary = TOOLS.map(
    (tool) =>
      `| ${tool} ${versions[tool] ?? ''} | ${given(tool)} | ${sum(tool, 'refuses')} | ${sum(tool, 'accepts')} | ${sum(tool, 'hangs')} | ${sum(tool, 'writes outside')} |`,
  )
  const refused = inputs.filter(({exit}) => exit !== 0).length
  const sections = formats.map((format) => {
    const rows = inputs.filter((input) => input.format === format)
    const tools = TOOLS.filter((tool) => rows.some(({name}) => verdicts.get(name)?.[tool] !== undefined))
    const head = ['input', 'transship', 'exit', ...tools]
    const lines = rows.map(({name, code, exit}) => {
      const others = tools.map((tool) => {
        const verdict = verdicts.get(name)?.[tool]
        return verdict === undefined ? '' : SIGN[verdict]
      })
      return `| ${[cell(name), code === 'accepted' ? 'accepts' : `\`${code}\``, String(exit), ...others].join(' | ')} |`
    })
    return [`## ${format}`, '', `| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...lines, ''].join(
      '\n',
    )
  })
  return `# Hostile input

\`npm run hostile\` builds ${inputs.length} inputs in code, each with one thing wrong, and gives them to transship: it refuses ${refused} by
the code below, and writes nothing. The others do no harm, and the last section says why. \`npm run hostile -- --write\` gives the
same inputs to the tools that read their format, and writes this page.

| tool | inputs | refuses | accepts | hangs | writes outside |
|---|---|---|---|---|---|
${summary.join('\n')}

A tool that accepts an input is not wrong by that alone. skopeo copies layers without looking into them, podman and umoci
unpack Windows layers as if they were for Linux, where other names are safe, and ctr stores an image without unpacking it. What
counts for a migration to Windows is that somebody refuses it before it arrives there. Registries, engines and containerd that lie
are servers of the runner's own, which other tools are not given.

${sections.join('\n')}
## What transship accepts

| input | why it does no harm |
|---|---|
${inputs
  .filter(({code}) => code === 'accepted')
  .map(({name}) => `| ${cell(name)} | ${HARMLESS[name] ?? ''} |`)
  .join('\n')}
`
}

/** Why an input that is accepted does no harm, by its name. */
export const HARMLESS: Readonly<Record<string, string>> = {
  'a layer without its end': 'the diffID covers every byte, and some tools leave the end out',
  'a character device': 'it becomes an empty file, as in Microsoft’s own reader',
  'a block device': 'it becomes an empty file, as in Microsoft’s own reader',
  'a pipe in a layer': 'it becomes an empty file, as in Microsoft’s own reader',
  'a label of packages that is no JSON': 'the label is left alone, and the image is taken as any other',
  'a name that leads out of an archive': 'no member of an archive is written by its name',
  'a layer that says gzip and is none': 'the bytes tell how a layer is compressed, and its digests cover them',
  'metadata that change every object': 'keys are read as data, never as a prototype',
  'a journal with a line of 200 MiB': 'no record is that long: the line is passed over, and never in memory',
  'a journal of noise': 'what is no record is passed over, as a torn line is: the plan runs again from its beginning',
  'a journal that changes every object': 'the line has no right check, and is passed over',
  'a journal of records that are none': 'the check of each line is right, its shape is not: the line is passed over',
  'a hive with a wrong checksum': 'reading a bare hive goes on with a note; `verify` tells the fault',
  'a hive that was not closed': 'reading a bare hive goes on with a note; `verify` tells the fault',
}

/** The names that the page lists, in its order. */
export function listedNames(page = readFileSync(PAGE, 'utf8')): readonly string[] {
  const tables = page.slice(page.indexOf('\n## '), page.indexOf('## What transship accepts'))
  return [...tables.matchAll(/^\| (.*?) +\| (?:accepts|`[A-Z_]+`) +\| \d+ +\|/gm)].map(([, name = '']) => name)
}
