import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import {cleanFolder} from '../../src/disk/clean-folder.js'
import {
  findLeftovers,
  NEXT,
  removeLeftovers,
  removeLeftoversInside,
  REPLACED,
  settleWork,
} from '../../src/disk/own-leftovers.js'
import {thisProcess} from '../../src/disk/process-identity.js'
import {removeTree} from '../../src/disk/remove-tree.js'
import {isWorkOf, ownedWorkName, parseWorkName, workPathBeside} from '../../src/disk/work-name.js'
import type {WorkEvent} from '../../src/model/events.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const HEX = '0123456789ab'
const DEAD_PID = 999_999_999
const onUnix = process.platform === 'win32' ? it.skip : it

/** A name of work whose process is gone, as `ownedWorkName` writes it. */
function deadName(prefix: string): string {
  const own = ownedWorkName(prefix)
  return own.replace(/-\d+-(\d+-[0-9a-f]{8})$/, `-${DEAD_PID}-$1`)
}

/** Folders in one another, deeper than any path of the system reaches. */
function digDeep(folder: string, depth: number): void {
  const script = `process.chdir(process.argv[1]); const {mkdirSync, writeFileSync} = require('node:fs')
    for (let i = 0; i < ${depth}; i++) { mkdirSync('a'); process.chdir('a'); if (i % 500 === 0) writeFileSync('file', 'x') }`
  assert.equal(spawnSync(process.execPath, ['-e', script, folder]).status, 0)
}

describe('left-overs', () => {
  const folder = temporaryFolder()
  let count = 0
  const place = (): string => {
    const made = path.join(folder.path, String(count++))
    mkdirSync(made)
    return made
  }
  /** Someone else's files, and a link to them. */
  const outside = (): string => {
    const other = place()
    writeFileSync(path.join(other, 'precious'), 'data')
    mkdirSync(path.join(other, 'Contoso_App_1.0.0.0'))
    writeFileSync(path.join(other, 'Contoso_App_1.0.0.0', 'metadata.json'), '{}')
    return other
  }
  const assertUnharmed = (other: string) => {
    assert.equal(readFileSync(path.join(other, 'precious'), 'utf8'), 'data')
    assert.equal(readFileSync(path.join(other, 'Contoso_App_1.0.0.0', 'metadata.json'), 'utf8'), '{}')
  }

  describe('names of work', () => {
    for (const {name, prefix, liveness} of [
      {name: `.tmp-${HEX}`, prefix: '.tmp-', liveness: 'unknown'},
      {name: `.appx-tmp-${HEX}`, prefix: '.appx-tmp-', liveness: 'unknown'},
      {name: `.image.tar.tmp-${HEX}`, prefix: '.image.tar.tmp-', liveness: 'unknown'},
      {name: `.a.tmp-${HEX}.tmp-${HEX}`, prefix: `.a.tmp-${HEX}.tmp-`, liveness: 'unknown'},
      {name: `transship-${HEX}-1-1-00000000`, prefix: 'transship-', liveness: 'unknown'},
    ]) {
      it(`takes ${name} apart`, () => {
        assert.deepEqual(parseWorkName(name), {prefix, liveness})
      })
    }
    for (const name of [
      '.tmp-left',
      `.tmp-${HEX}0`,
      `.tmp-${HEX.toUpperCase()}`,
      `.tmp-${HEX}-1`,
      `.tmp-${HEX}-0-1-00000000`,
      `tmp-${HEX}`,
      `image.tar.tmp-${HEX}`,
      `transship-test-${HEX}`,
      'transship-AbCdEf',
      `.tmp-${HEX}\n`,
    ]) {
      it(`does not know ${JSON.stringify(name)}`, () => {
        assert.equal(parseWorkName(name), undefined)
      })
    }

    it('tells a process that runs from one that is gone', () => {
      assert.equal(parseWorkName(ownedWorkName('.x.tmp-'))?.liveness, 'alive')
      assert.equal(parseWorkName(deadName('.x.tmp-'))?.liveness, 'dead')
    })

    it('keeps a name for every target whose own name fits', () => {
      for (const target of ['x', 'n'.repeat(255), '\u{1f600}'.repeat(63)]) {
        const name = path.basename(workPathBeside(target))
        assert.ok(Buffer.byteLength(name) <= 255, target)
        assert.ok(isWorkOf(name, `.${target}.tmp-`), target)
      }
    })
  })

  describe('removal', () => {
    onUnix('removes folders in one another that no path reaches, without recursion', () => {
      const root = place()
      const target = path.join(root, 'deep')
      mkdirSync(target)
      digDeep(target, 6000)
      assert.equal(removeTree(target), undefined)
      assert.equal(existsSync(target), false)
    }).timeout(60_000)

    onUnix('removes links, pipes and unreadable names, and nothing that they lead to', () => {
      const root = place()
      const other = outside()
      const target = path.join(root, 'work')
      mkdirSync(path.join(target, 'closed'), {recursive: true})
      writeFileSync(path.join(target, 'closed', 'file'), '')
      symlinkSync(other, path.join(target, 'link'))
      symlinkSync('/nowhere', path.join(target, 'closed', 'dangling'))
      writeFileSync(Buffer.concat([Buffer.from(`${target}/`), Buffer.from([0xff, 0xfe])]), '')
      assert.equal(spawnSync('mkfifo', [path.join(target, 'pipe')]).status, 0)
      spawnSync('chmod', ['0500', path.join(target, 'closed')])
      assert.equal(removeTree(target), undefined)
      assert.equal(existsSync(target), false)
      assertUnharmed(other)
    })

    onUnix('removes a link itself', () => {
      const root = place()
      const other = outside()
      symlinkSync(other, path.join(root, 'link'))
      assert.equal(removeTree(path.join(root, 'link')), undefined)
      assert.deepEqual(readdirSync(root), [])
      assertUnharmed(other)
    })

    it('takes what is not there for removed', () => {
      assert.equal(removeTree(path.join(folder.path, 'nothing')), undefined)
    })
  })

  describe('beside a target, without a lock', () => {
    it('go when their process is gone, and only those of that target', () => {
      const root = place()
      const target = path.join(root, 'image.tar')
      const names = {
        dead: deadName('.image.tar.tmp-'),
        alive: path.basename(workPathBeside(target)),
        elsewhere: `.image.tar.tmp-${HEX}-1-1-00000000`,
        old: `.image.tar.tmp-${'a'.repeat(12)}`,
        others: deadName('.image.tar2.tmp-'),
      }
      for (const name of Object.values(names)) writeFileSync(path.join(root, name), 'half')
      const longAgo = new Date(Date.now() - 2 * 24 * 3_600_000)
      utimesSync(path.join(root, names.old), longAgo, longAgo)
      removeLeftovers(target)
      assert.deepEqual(readdirSync(root).sort(), [names.alive, names.elsewhere, names.others].sort())
      removeLeftovers(target, {by: 'caller'})
      assert.deepEqual(readdirSync(root).sort(), [names.alive, names.others].sort())
    })

    onUnix('stay and are told where they are links or pipes', () => {
      const root = place()
      const other = outside()
      const target = path.join(root, 'image')
      const [link, pipe] = [deadName('.image.tmp-'), deadName('.image.tmp-')]
      symlinkSync(other, path.join(root, link))
      spawnSync('mkfifo', [path.join(root, pipe)])
      const events: WorkEvent[] = []
      removeLeftovers(target, {onEvent: (event) => events.push(event)})
      assert.deepEqual(readdirSync(root).sort(), [link, pipe].sort())
      assert.deepEqual(
        events.map((event) => event.kind === 'note' && event.code),
        ['left-over-kept', 'left-over-kept'],
      )
      assertUnharmed(other)
    })
  })

  describe('in a repository, under its lock', () => {
    const APP = 'Contoso_App_1.0.0.0'

    onUnix('never lead out of it, whichever of their folders is a link', () => {
      const other = outside()
      for (const plant of [
        (root: string) => {
          symlinkSync(other, path.join(root, `.tmp-${HEX}`))
        },
        (root: string) => {
          mkdirSync(path.join(root, `.tmp-${HEX}`))
          symlinkSync(other, path.join(root, `.tmp-${HEX}`, REPLACED))
        },
        (root: string) => {
          mkdirSync(path.join(root, `.tmp-${HEX}`, REPLACED), {recursive: true})
          symlinkSync(path.join(other, APP), path.join(root, `.tmp-${HEX}`, REPLACED, APP))
        },
        (root: string) => {
          mkdirSync(path.join(root, `.tmp-${HEX}`))
          symlinkSync(other, path.join(root, `.tmp-${HEX}`, NEXT))
        },
      ]) {
        const root = place()
        plant(root)
        removeLeftoversInside(root, '.tmp-')
        assert.equal(existsSync(path.join(root, 'precious')), false)
        assert.equal(existsSync(path.join(root, APP)), false)
        assertUnharmed(other)
      }
    })

    it('give back packages, where their place is free, and nothing else', () => {
      const root = place()
      const held = path.join(root, `.tmp-${HEX}`, REPLACED)
      for (const name of [APP, 'Contoso_Kept_1.0.0.0']) {
        mkdirSync(path.join(held, name), {recursive: true})
        writeFileSync(path.join(held, name, 'metadata.json'), 'old')
      }
      mkdirSync(path.join(root, 'Contoso_Kept_1.0.0.0'))
      for (const name of ['repository.json', '.lock', 'autorun.inf']) writeFileSync(path.join(held, name), 'planted')
      removeLeftoversInside(root, '.tmp-')
      assert.deepEqual(readdirSync(root).sort(), [APP, 'Contoso_Kept_1.0.0.0'])
      assert.equal(readFileSync(path.join(root, APP, 'metadata.json'), 'utf8'), 'old')
      assert.deepEqual(readdirSync(path.join(root, 'Contoso_Kept_1.0.0.0')), [])
    })

    it('stay where the name is none of ours', () => {
      const root = place()
      for (const name of ['.tmp-left', `.tmp-${HEX}0`, `.appx-tmp-${HEX}`]) mkdirSync(path.join(root, name))
      removeLeftoversInside(root, '.tmp-')
      assert.equal(readdirSync(root).length, 3)
    })

    onUnix('that no path reaches do not block it', () => {
      const root = place()
      mkdirSync(path.join(root, `.tmp-${HEX}`))
      digDeep(path.join(root, `.tmp-${HEX}`), 2100)
      removeLeftoversInside(root, '.tmp-')
      assert.deepEqual(readdirSync(root), [])
    })

    onUnix('of another user stay, unless it is the owner of the folder', function () {
      if (process.geteuid?.() !== 0) this.skip()
      const root = place()
      for (const each of [folder.path, root]) chmodSync(each, 0o755)
      for (const [name, uid] of [
        [`.tmp-${'a'.repeat(12)}`, 12_345],
        [`.tmp-${'b'.repeat(12)}`, 54_321],
        [`.tmp-${'c'.repeat(12)}`, 11_111],
      ] as const) {
        mkdirSync(path.join(root, name))
        spawnSync('chown', [String(uid), path.join(root, name)])
      }
      spawnSync('chown', ['54321', root])
      process.seteuid?.(12_345)
      try {
        const states = findLeftovers(root, () => true, 'lock').map(({state}) => state)
        assert.deepEqual(states, ['dead', 'dead', 'foreign'])
      } finally {
        process.seteuid?.(0)
      }
    })
  })

  describe('of a transport layout, killed between two renames', () => {
    /** Which of the four files are where, before; and what the layout and its index must be afterwards. */
    for (const {title, work, beside, after} of [
      {
        title: 'before anything was moved',
        work: {[NEXT]: ['app', 'app.payload-index.jsonl'], [REPLACED]: []},
        beside: ['app', 'app.payload-index.jsonl'],
        after: {app: 'beside', 'app.payload-index.jsonl': 'beside'},
      },
      {
        title: 'when the old layout was out of the way',
        work: {[NEXT]: ['app', 'app.payload-index.jsonl'], [REPLACED]: ['app']},
        beside: ['app.payload-index.jsonl'],
        after: {app: REPLACED, 'app.payload-index.jsonl': 'beside'},
      },
      {
        title: 'when both old ones were',
        work: {[NEXT]: ['app', 'app.payload-index.jsonl'], [REPLACED]: ['app', 'app.payload-index.jsonl']},
        beside: [],
        after: {app: REPLACED, 'app.payload-index.jsonl': REPLACED},
      },
      {
        title: 'when the new layout was in its place, and its index was not',
        work: {[NEXT]: ['app.payload-index.jsonl'], [REPLACED]: ['app', 'app.payload-index.jsonl']},
        beside: ['app'],
        after: {app: 'beside', 'app.payload-index.jsonl': NEXT},
      },
    ]) {
      it(`leaves a layout and its own index: ${title}`, () => {
        const root = place()
        const name = deadName('.app.tmp-')
        for (const [sub, names] of Object.entries(work)) {
          mkdirSync(path.join(root, name, sub), {recursive: true})
          for (const each of names) writeFileSync(path.join(root, name, sub, each), sub)
        }
        for (const each of beside) writeFileSync(path.join(root, each), 'beside')
        removeLeftovers(path.join(root, 'app'))
        assert.deepEqual(readdirSync(root).sort(), Object.keys(after).sort())
        for (const [each, from] of Object.entries(after))
          assert.equal(readFileSync(path.join(root, each), 'utf8'), from)
      })
    }

    it('does nothing for work that is not there', () => {
      settleWork(folder.path, path.join(folder.path, deadName('.none.tmp-')))
    })
  })

  describe('by doctor --clean', () => {
    const lockOf = (holder: object) => JSON.stringify({...thisProcess(), renewedEveryMs: 10_000, ...holder})

    it('finds nothing in a folder of other things', async () => {
      const root = place()
      for (const name of ['Cargo.lock', '.hidden', 'image.tar', '.tmp-mine']) writeFileSync(path.join(root, name), 'x')
      assert.deepEqual((await cleanFolder(root)).items, [])
      assert.equal(readdirSync(root).length, 4)
    })

    it('leaves a repository alone that is in use', async () => {
      const root = place()
      writeFileSync(path.join(root, '.lock'), lockOf({}))
      mkdirSync(path.join(root, `.tmp-${HEX}`))
      const {items} = await cleanFolder(root)
      assert.deepEqual(
        items.map(({name, outcome}) => [name, outcome]),
        [['.lock', 'in-use']],
      )
      assert.ok(existsSync(path.join(root, `.tmp-${HEX}`)))
    })

    onUnix('mends a repository in which another has placed links, pipes, deep trees and false left-overs', async () => {
      const root = place()
      const other = outside()
      mkdirSync(path.join(root, 'Contoso_Kept_1.0.0.0'))
      spawnSync('mkfifo', [path.join(root, '.lock')])
      symlinkSync(other, path.join(root, `.tmp-${'a'.repeat(12)}`))
      mkdirSync(path.join(root, `.tmp-${'b'.repeat(12)}`))
      symlinkSync(other, path.join(root, `.tmp-${'b'.repeat(12)}`, REPLACED))
      mkdirSync(path.join(root, `.tmp-${'c'.repeat(12)}`))
      digDeep(path.join(root, `.tmp-${'c'.repeat(12)}`), 2100)
      spawnSync('mkfifo', [path.join(root, `.appx-tmp-${HEX}`)])
      symlinkSync('/dev/zero', path.join(root, `.lock-${HEX}`))
      writeFileSync(path.join(root, deadName('.image.tar.tmp-')), 'half an image')
      const {items} = await cleanFolder(root)
      assert.deepEqual(
        items.filter(({outcome}) => outcome !== 'removed'),
        [],
      )
      assert.deepEqual(readdirSync(root), ['Contoso_Kept_1.0.0.0'])
      assertUnharmed(other)
    })

    it('removes a lock whose process is gone, of a repository, a package file and a journal', async () => {
      const root = place()
      const names = ['.app.appx.lock', '.lock', 'plan.yaml.journal.lock']
      for (const name of names) writeFileSync(path.join(root, name), lockOf({pid: DEAD_PID}))
      const {items} = await cleanFolder(root)
      assert.deepEqual(
        items.map(({name, outcome}) => [name, outcome]),
        names.map((name) => [name, 'removed']),
      )
      assert.deepEqual(readdirSync(root), [])
    })

    it('keeps what has the name of a lock and is none', async () => {
      const root = place()
      writeFileSync(path.join(root, '.lock'), 'of another program')
      const {items} = await cleanFolder(root)
      assert.deepEqual(
        items.map(({name, outcome}) => [name, outcome]),
        [['.lock', 'kept']],
      )
      assert.ok(lstatSync(path.join(root, '.lock')).isFile())
    })
  })
})
