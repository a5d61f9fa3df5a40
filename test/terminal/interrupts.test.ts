import assert from 'node:assert/strict'
import {spawn, type ChildProcess} from 'node:child_process'
import {cpSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs'
import {constants} from 'node:os'
import path from 'node:path'
import {convert} from '../../src/index.js'
import {classicMembers, partsOf, tarOf} from '../helpers/archives.js'
import {endProcess, engineEnvironment, untilListening} from '../helpers/container-host.js'
import {runInTerminal, type TerminalOptions, type TerminalStep} from '../helpers/pseudo-terminal.js'
import {layerOf, lookAt} from '../helpers/refusals.js'
import {runCli} from '../helpers/run-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {testsAtOnce} from '../helpers/tests-at-once.js'
import {requireTool, skipLoudly} from '../helpers/tools.js'

/** An image that takes a moment to read and to write: many files and a large one. */
async function writeLongImage(file: string): Promise<string> {
  const files = Array.from({length: 8000}, (_, index) => [`Files/f${index}.txt`, `file ${index}\n`] as const)
  const large = ['Files/large.bin', 'transship '.repeat(8 * 2 ** 20)] as const
  const parts = partsOf([await layerOf([['Files/', ''], ...files, large])])
  writeFileSync(file, await tarOf(classicMembers(parts, ['long:1'])))
  return `docker-archive:${file}`
}

const SMALL = `docker-archive:${path.resolve('samples/shop.tar')}`
const PAINTED = 'long|Writ|Read|Layer|Package'
const ctrlC = (delayMs: number): TerminalStep => ({delayMs, act: 'ctrl-c'})
const hangUp = (delayMs: number): TerminalStep => ({delayMs, act: 'hangup'})

/** What an interrupted command may not leave anywhere. */
function leftovers(root: string): string[] {
  return readdirSync(root, {recursive: true, encoding: 'utf8'}).filter((name) =>
    /(?:^|\/)(?:\.lock|\.tmp-|.*\.part|\..*\.tmp)/.test(name),
  )
}

describe('an interrupt on a terminal', () => {
  const folder = temporaryFolder()
  let image = ''
  let ready = ''
  let packed = ''
  let count = 0
  const place = () => {
    const made = path.join(folder.path, `at-${String(count++)}`)
    mkdirSync(made)
    return made
  }

  before(async function () {
    this.timeout(120_000)
    if (process.platform === 'win32') skipLoudly(this, 'Windows has no pseudo terminal that Python makes')
    requireTool(this, 'python3')
    image = await writeLongImage(path.join(folder.path, 'long.tar'))
    ready = path.join(folder.path, 'repository')
    cpSync('samples/repository', ready, {recursive: true, preserveTimestamps: true})
    packed = path.join(folder.path, 'packed')
    await convert(image, `inbox:${packed}`)
  })

  /** Interrupted: told, exit 130 and nothing left. Or, where the interrupt came too late: done. */
  async function assertClean(
    args: readonly string[],
    steps: readonly TerminalStep[],
    root: string,
    options: TerminalOptions = {},
  ): Promise<void> {
    const {screen, exit, signal, acted} = await runInTerminal(args, {steps, cwd: root, ...options})
    const shown = screen.slice(-2000)
    assert.deepEqual(leftovers(root), [], shown)
    assert.ok(acted >= 1, `the interrupt came too late:\n${shown}`)
    // Who closed the terminal sees neither word nor exit code; Node 20 by itself would end with an abort.
    if (steps.some(({act}) => act === 'hangup')) {
      assert.equal(signal, constants.signals.SIGHUP)
      return
    }
    assert.equal(signal, null, `ended by itself, not by the signal:\n${shown}`)
    assert.equal(exit, 130, shown)
    assert.match(screen, /Interrupted/)
    assert.ok(!screen.includes('\u001b[?25l') || screen.lastIndexOf('\u001b[?25h') > screen.lastIndexOf('\u001b[?25l'))
  }

  describe('of convert leaves the repository as it was', () => {
    const it = testsAtOnce()
    for (const [title, steps] of [
      ['Ctrl-C with the first picture', [ctrlC(0)]],
      ['Ctrl-C after 50 ms', [ctrlC(50)]],
      ['Ctrl-C after 150 ms', [ctrlC(150)]],
      ['Ctrl-C after 300 ms', [ctrlC(300)]],
      ['Ctrl-C after 600 ms', [ctrlC(600)]],
      ['Ctrl-C when steps are painted', [{...ctrlC(0), after: PAINTED}]],
      ['Ctrl-C twice at once, as npm and a shell pass it on', [ctrlC(200), ctrlC(0)]],
      ['SIGTERM', [{delayMs: 200, act: 'SIGTERM'}]],
      ['SIGHUP', [{delayMs: 200, act: 'SIGHUP'}]],
      ['the terminal closed with the first picture', [hangUp(0)]],
      // Before anything more is written to the terminal, and after.
      ...[70, 85, 100, 115, 130, 200, 400].map(
        (delayMs) => [`the terminal closed after ${String(delayMs)} ms`, [hangUp(delayMs)]] as const,
      ),
    ] as const)
      it(title, async () => {
        const made = place()
        const root = path.join(made, 'r')
        cpSync(ready, root, {recursive: true, preserveTimestamps: true})
        const before = lookAt(root)
        await assertClean(['convert', image, 'inbox:r'], steps, made)
        assert.deepEqual(lookAt(root), before)
      })

    for (const destination of ['inbox:new/r', 'docker-archive:new.tar', 'oci:new', 'oci-archive:new.tar'])
      it(`and nothing where there was nothing: ${destination}`, async () => {
        const root = place()
        const convert = ['convert', image, destination, '--compression', 'gzip']
        await assertClean(destination.startsWith('inbox') ? convert.slice(0, 3) : convert, [ctrlC(250)], root)
        assert.deepEqual(readdirSync(root), [])
      })
  })

  describe('of verify ends the reading', () => {
    const it = testsAtOnce()
    for (const delayMs of [0, 100, 250])
      it(`Ctrl-C after ${String(delayMs)} ms`, async () => {
        await assertClean(['verify', image], [ctrlC(delayMs)], place())
      })
    it('SIGTERM', async () => {
      await assertClean(['verify', image], [{delayMs: 100, act: 'SIGTERM'}], place())
    })
    for (const delayMs of [0, 100, 250])
      it(`the terminal closed after ${String(delayMs)} ms`, async () => {
        await assertClean(['verify', image], [hangUp(delayMs)], place())
      })
    it('the terminal closed, which only stdin and stdout are', async () => {
      await assertClean(['verify', image], [{...hangUp(600), after: ''}], place(), {errors: 'errors.txt'})
    })
  })

  describe('of batch leaves what is whole, and the same command goes on from there', () => {
    const it = testsAtOnce()
    for (const [title, step] of [
      ['Ctrl-C at once', ctrlC(0)],
      ['Ctrl-C after 200 ms', ctrlC(200)],
      ['Ctrl-C after 700 ms', ctrlC(700)],
      ['SIGTERM', {delayMs: 300, act: 'SIGTERM'}],
      ['SIGHUP', {delayMs: 300, act: 'SIGHUP'}],
    ] as const)
      it(title, async () => {
        const root = place()
        const destinations = ['inbox:r', 'docker-archive:a.tar', 'docker-archive:b.tar', 'oci:c']
        const items = destinations.map((destination) => ({source: image, destination}))
        writeFileSync(path.join(root, 'plan.json'), JSON.stringify({items}))
        await assertClean(['batch', 'plan.json', '--concurrency', '2'], [step], root)
        for (const name of readdirSync(root).filter((each) => each.endsWith('.tar')))
          assert.equal((await runCli(['verify', `docker-archive:${name}`], {cwd: root})).code, 0)
      })
  })

  describe('of migrate leaves what is whole, and the same command goes on from there', () => {
    const it = testsAtOnce()
    // Listing, reading, writing, verifying: each takes a part of the time.
    for (const [index, delayMs] of [0, 75, 150, 300, 450, 600, 900, 1200].entries()) {
      const back = index % 2 === 1
      it(`Ctrl-C after ${String(delayMs)} ms, ${back ? 'packages to archives' : 'an archive to packages'}`, async () => {
        const root = place()
        const ends = back ? [`inbox:${packed}`, 'docker-archive:out/'] : [image, 'inbox:r']
        const args = ['migrate', ...ends, '--journal', 'migrate.journal', '--yes']
        await assertClean(args, [ctrlC(delayMs)], root)
        if (index !== 3 && index !== 4) return
        const again = await runCli(args, {cwd: root})
        assert.equal(again.code, 0, again.stderr)
        assert.deepEqual(leftovers(root), [])
        const made = back ? `docker-archive:${path.join('out', readdirSync(path.join(root, 'out'))[0]!)}` : 'inbox:r'
        assert.equal((await runCli(['verify', made], {cwd: root})).code, 0)
      })
    }
  })

  describe('of migrate at what it shows', () => {
    const it = testsAtOnce()
    const at = (after: string, act: TerminalStep['act'] = 'ctrl-c'): TerminalStep => ({after, delayMs: 0, act})
    for (const {title, step, back = false, isAsked = false} of [
      {title: 'Ctrl-C while it lists', step: at('Listing')},
      {title: 'Ctrl-C while it looks for edits', step: at('Check .*for edits'), back: true},
      {title: 'Ctrl-C at the question', step: at('y/N'), isAsked: true},
      {title: 'SIGTERM at the question', step: at('y/N', 'SIGTERM'), isAsked: true},
      {title: 'SIGHUP at the question', step: at('y/N', 'SIGHUP'), isAsked: true},
      {title: 'the terminal closed at the question', step: at('y/N', 'hangup'), isAsked: true},
      {title: 'Ctrl-C while it converts', step: at('0 of 1 item')},
      {title: 'Ctrl-C while it verifies', step: at('Verify')},
    ])
      it(title, async () => {
        const root = place()
        const ends = back ? [`inbox:${packed}`, 'docker-archive:out/'] : [isAsked ? SMALL : image, 'inbox:r']
        await assertClean(['migrate', ...ends, '--journal', 'j', ...(isAsked ? [] : ['--yes'])], [step], root)
        if (isAsked) assert.deepEqual(readdirSync(root), [])
      })

    for (const [title, typed] of [
      ['n', 'n\r'],
      ['nothing', '\r'],
      ['Ctrl-D', '\u0004'],
    ] as const)
      it(`writes nothing after ${title} at the question, which is no error`, async () => {
        const root = place()
        const {screen, exit} = await runInTerminal(['migrate', SMALL, 'inbox:r', '--journal', 'j'], {
          cwd: root,
          steps: [{after: 'y/N', act: 'type', text: typed}],
        })
        assert.equal(exit, 0, screen)
        assert.match(screen, /Nothing was written\./)
        assert.ok(!screen.includes('Error'), screen)
        assert.deepEqual(readdirSync(root), [])
      })
  })

  describe('of containers list --watch ends the watching', () => {
    const it = testsAtOnce()
    let engine: ChildProcess | undefined
    let socket = ''

    before(async function () {
      requireTool(this, 'podman')
      socket = path.join(folder.path, 'podman.sock')
      const service = ['system', 'service', '--time=0', `unix://${socket}`]
      engine = spawn('podman', service, {stdio: 'ignore', env: engineEnvironment()})
      await untilListening(socket, engine, '')
    })
    after(async () => {
      if (engine !== undefined) await endProcess(engine)
    })

    for (const step of [ctrlC(0), ctrlC(2500), {delayMs: 300, act: 'SIGTERM'}, {delayMs: 300, act: 'SIGHUP'}] as const)
      it(`${step.act} after ${String(step.delayMs)} ms`, async () => {
        const nowhere = path.join(folder.path, 'nobody.sock')
        const env = {
          DOCKER_HOST: `unix://${nowhere}`,
          CONTAINER_HOST: `unix://${socket}`,
          CONTAINERD_ADDRESS: nowhere,
        }
        await assertClean(['containers', 'list', '--watch'], [step], place(), {env})
      })
  })
})
