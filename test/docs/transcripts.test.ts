import assert from 'node:assert/strict'
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {text as textOf} from 'node:stream/consumers'
import {startMemoryRegistry} from '../helpers/memory-registry.js'
import {MAIN} from '../helpers/run-cli.js'
import {PROJECT} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {testsAtOnce} from '../helpers/tests-at-once.js'
import {skipLoudly} from '../helpers/tools.js'

/*
 * Blocks of `console` in the guide are run: lines behind `$ ` are commands, one session a page in a folder that holds the
 * samples; what follows is all that they write to stdout. A line `…` stands for any lines, `…` in a line for any text.
 * UPDATE_SNAPSHOTS=1 puts what was written in place of what does not fit.
 */

/** The registry that pages name; the test runs one in this process. As long as its address, so that tables fit. */
const REGISTRY = 'hub.contoso.lan'
const DOCS = path.join(PROJECT, 'docs')
/** Pages with transcripts, in `docs`. */
const PAGES = [
  ...readdirSync(path.join(DOCS, 'guide'))
    .sort()
    .map((name) => path.join('guide', name)),
  'migrate.md',
]
const BLOCK = /^```console\n([^]*?)^```$/gm

interface Step {
  readonly command: string
  readonly expected: string
}

function stepsOf(block: string): readonly Step[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      // A command goes on behind a backslash.
      const [whole = '', command = ''] = /^((?:.*\\\n)*.*)\n?/.exec(step) ?? []
      return {command, expected: step.slice(whole.length)}
    })
}

/** How long it took differs from run to run. */
function timeless(output: string): string {
  return output.replaceAll(/in \d+ s\.$/gm, 'in 1 s.')
}

/** What was written, in the words of the page wherever one of its lines leaves something open and fits still. */
function updated(expected: string, actual: string): string {
  const open = expected.split('\n').filter((line) => line.includes('…') && line.trim() !== '…')
  return actual
    .split('\n')
    .map((line) => open.find((each) => pattern(each).test(`${line}\n`)) ?? line)
    .join('\n')
}

function pattern(expected: string): RegExp {
  const source = expected
    .replace(/\n+$/, '')
    .split('\n')
    .map((line) =>
      line === '…'
        ? '(?:.*\n)*?'
        : `${line
            .trimEnd()
            .split('…')
            .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
            .join('.*')}\n`,
    )
  return new RegExp(`^${expected.trim() === '' ? '' : source.join('')}$`)
}

describe('the guide shows what commands do', function () {
  this.timeout(180_000)
  const folder = temporaryFolder()
  const atOnce = testsAtOnce()

  before(function () {
    if (process.platform === 'win32') skipLoudly(this, 'the transcripts are of a Unix shell')
    mkdirSync(path.join(folder.path, 'bin'))
    const program = path.join(folder.path, 'bin', 'transship')
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`, {mode: 0o755})
  })

  /** Each page has a user of its own, and a registry. */
  async function run(command: string, cwd: string, host: string): Promise<string> {
    const {NODE_ENV: _, SOURCE_DATE_EPOCH: __, ...inherited} = process.env
    const child = spawn('bash', ['-c', command.replaceAll(REGISTRY, host)], {
      cwd,
      env: {
        ...inherited,
        NO_COLOR: '1',
        TZ: 'UTC',
        HOME: `${cwd}-home`,
        PATH: `${path.join(folder.path, 'bin')}:${process.env['PATH'] ?? ''}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr), once(child, 'close')])
    // What went wrong is part of what a page shows; progress is not.
    const failed = child.exitCode === 0 || stdout !== '' ? '' : stderr
    return timeless((stdout + failed).replaceAll(host, REGISTRY))
  }

  for (const page of PAGES) {
    const file = path.join(DOCS, page)
    const name = path.basename(page)
    const text = readFileSync(file, 'utf8')
    const blocks = [...text.matchAll(BLOCK)].map(([, block = '']) => block)
    if (blocks.length === 0) continue
    atOnce(`in ${name}`, async () => {
      const registry = await startMemoryRegistry()
      try {
        await assertPage(registry.host)
      } finally {
        await registry.stop()
      }
    })

    async function assertPage(host: string): Promise<void> {
      const session = path.join(folder.path, name)
      for (const made of [session, `${session}-home`]) mkdirSync(made)
      cpSync(path.join(PROJECT, 'samples', 'shop.tar'), path.join(session, 'shop.tar'), {preserveTimestamps: true})
      cpSync(path.join(PROJECT, 'samples', 'repository'), path.join(session, 'repository'), {
        recursive: true,
        preserveTimestamps: true,
      })
      const shownBlocks: string[] = []
      for (const block of blocks) {
        let shown = ''
        for (const {command, expected} of stepsOf(block)) {
          const actual = (await run(command, session, host)).replaceAll(/ +$/gm, '')
          const fits = pattern(expected).test(actual)
          if (process.env['UPDATE_SNAPSHOTS'] !== '1')
            assert.ok(fits, `${name}: $ ${command}\n${actual}\nis not\n${expected}`)
          shown += `$ ${command}\n${fits ? expected : updated(expected, actual)}`
        }
        shownBlocks.push(shown)
      }
      if (process.env['UPDATE_SNAPSHOTS'] === '1')
        writeFileSync(
          file,
          text.replaceAll(BLOCK, () => `\`\`\`console\n${shownBlocks.shift() ?? ''}\`\`\``),
        )
    }
  }
})
