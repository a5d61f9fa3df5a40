import {spawnSync} from 'node:child_process'
import {existsSync, mkdtempSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {format, resolveConfig} from 'prettier'
import {removeTree} from '../../src/disk/remove-tree.js'
import {ALL_INPUTS} from './hostile/catalog.js'
import type {HostileInput} from './hostile/input.js'
import {hostilePage, PAGE, type Verdicts} from './hostile/page.js'
import {runOwn} from './hostile/run-own.js'
import {containerdForTools, runTool, TOOLS} from './hostile/tools.js'

/*
 * `npm run hostile`: what transship says of every hostile input, or of those whose name holds a text. With `--write`, the other tools are given them as well,
 * and docs/hostile.md is written. Not a test by itself: test/attack/hostile.test.ts runs our side of it.
 */

/** In memory where that can be; short, since podman takes no long paths. */
const ROOT = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'th-'))
/** Inputs given to tools at a time. */
const AT_ONCE = 3

async function own(text: string): Promise<number> {
  let wrong = 0
  const chosen = ALL_INPUTS.filter(({name, format}) => `${format}: ${name}`.includes(text))
  for (const [number, input] of chosen.entries()) {
    const folder = path.join(ROOT, `own-${number}`)
    const {code, exit, message} = await runOwn(input, folder)
    removeTree(folder)
    const isRight = code === input.code && exit === input.exit && message.includes(input.entry ?? '')
    if (!isRight) wrong++
    console.log(`${isRight ? 'ok   ' : 'WRONG'} ${input.format}: ${input.name}: ${code}, exit ${exit}`)
    if (!isRight) console.log(`      ${message}`)
  }
  console.log(`${chosen.length} inputs, ${wrong} of them not as the table says`)
  return wrong
}

function versionOf(tool: string): string {
  const {stdout} = spawnSync(tool, ['--version'], {encoding: 'utf8'})
  return /\d+\.\d+(?:\.\d+)?/.exec(stdout)?.[0] ?? ''
}

async function askTools(): Promise<Map<string, Verdicts>> {
  const containerd = await containerdForTools()
  const verdicts = new Map<string, Verdicts>()
  const queue: HostileInput[] = [...ALL_INPUTS]
  let count = 0
  const work = async () => {
    for (let input = queue.shift(); input !== undefined; input = queue.shift()) {
      const {forms} = await input.build()
      if (forms === undefined) continue
      const row: Record<string, string> = {}
      for (const tool of TOOLS) {
        const folder = path.join(ROOT, `t${count++}`)
        const verdict = await runTool(tool, forms, {folder, containerd})
        removeTree(folder)
        if (verdict !== undefined) row[tool] = verdict
      }
      verdicts.set(input.name, row)
      console.log(
        `${input.name}: ${Object.entries(row)
          .map((each) => each.join(' '))
          .join(', ')}`,
      )
    }
  }
  try {
    await Promise.all(Array.from({length: AT_ONCE}, work))
  } finally {
    await containerd?.close()
  }
  return verdicts
}

try {
  if (process.argv.includes('--write')) {
    const verdicts = await askTools()
    const versions = Object.fromEntries(TOOLS.map((tool) => [tool, versionOf(tool)]))
    const page = hostilePage(ALL_INPUTS, verdicts, {versions})
    const config = await resolveConfig(PAGE)
    writeFileSync(PAGE, await format(page, {...config, filepath: PAGE}))
  } else process.exitCode = (await own(process.argv[2] ?? '')) > 0 ? 1 : 0
} finally {
  removeTree(ROOT)
}
