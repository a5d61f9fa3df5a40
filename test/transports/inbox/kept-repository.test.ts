import assert from 'node:assert/strict'
import {mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {keepingOpen} from '../../../src/disk/kept-open.js'
import {formatFullName} from '../../../src/model/package-identity.js'
import {repositoryFor} from '../../../src/transports/inbox/kept-repository.js'
import {fileEntry} from '../../helpers/file-system-model.js'
import {identityOf} from '../../helpers/stored-packages.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {draftWith, writeDraft} from '../../helpers/written-packages.js'

/** Longer than files and folders must rest before what they hold is kept. */
const SETTLED_MS = 2200

describe('a repository whose packages a batch opens one after the other', function () {
  this.timeout(60_000)
  const folder = temporaryFolder()
  const nameOf = (text: string) => formatFullName(identityOf(text))

  async function add(root: string, text: string, below?: string): Promise<void> {
    const dependencies = below === undefined ? [] : [identityOf(below)]
    const draft = await draftWith(text, [fileEntry('Files/a', text)], {}, {dependencies})
    renameSync((await writeDraft(folder.path, draft)).folder, path.join(root, nameOf(text)))
  }
  /** `App` on `Base`, and `Else`, at rest. */
  async function repository(name: string): Promise<string> {
    const root = path.join(folder.path, name)
    mkdirSync(root)
    for (const [text, below] of [['Base'], ['App', 'Base'], ['Else']] as const) await add(root, text, below)
    await setTimeout(SETTLED_MS)
    return root
  }
  const edit = (root: string, text: string) => {
    const file = path.join(root, nameOf(text), 'metadata.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace('"Architecture"', '"FriendlyName":"Edited","Architecture"'))
  }
  const read = (root: string, selector?: string) =>
    repositoryFor({transport: 'inbox', path: root, ...(selector === undefined ? {} : {selector})})

  it('is read once as long as nothing has changed', async () => {
    const root = await repository('still')
    await keepingOpen(async () => {
      const first = await read(root, 'App')
      for (const selector of ['App', 'app', 'Base', 'Else', nameOf('Base')])
        assert.equal(await read(root, selector), first, selector)
      assert.notEqual(await read(root), first)
    })
    const later = await read(root, 'App')
    assert.notEqual(await read(root, 'App'), later)
  })

  const gone = (root: string, ...names: readonly string[]) => {
    rmSync(path.join(root, ...names), {recursive: true})
  }
  for (const [note, change, selector, expected] of [
    [
      'an edited package',
      (root: string) => {
        edit(root, 'App')
      },
      'App',
      ['App*', 'Base', 'Else'],
    ],
    [
      'an edited package that it builds on',
      (root: string) => {
        edit(root, 'Base')
      },
      'App',
      ['App', 'Base*', 'Else'],
    ],
    [
      'an edited package that it has nothing to do with',
      (root: string) => {
        edit(root, 'Else')
      },
      'App',
      undefined,
    ],
    ['one more package', (root: string) => add(root, 'More'), 'App', ['App', 'Base', 'Else', 'More']],
    ['one more package that is meant', (root: string) => add(root, 'More'), 'More', ['App', 'Base', 'Else', 'More']],
    [
      'one package less',
      (root: string) => {
        gone(root, nameOf('Else'))
      },
      'App',
      ['App', 'Base'],
    ],
    [
      'a metadata.json less',
      (root: string) => {
        gone(root, nameOf('App'), 'metadata.json')
      },
      'App',
      ['Base', 'Else'],
    ],
  ] as const)
    it(`is read ${expected === undefined ? 'once' : 'anew'} where there is ${note}`, async () => {
      const root = await repository(note.replaceAll(' ', '-'))
      await keepingOpen(async () => {
        const first = await read(root, 'App')
        await change(root)
        const second = await read(root, selector)
        assert.equal(second === first, expected === undefined)
        if (expected === undefined) return
        const shown = second.packages.map(({metadata: {identity, friendlyName}}) =>
          friendlyName === 'Edited' ? `${identity.name}*` : identity.name,
        )
        assert.deepEqual(shown, expected)
      })
    })

  it('is not there, is empty, or lacks what is asked for', async () => {
    await keepingOpen(async () => {
      await assert.rejects(read(path.join(folder.path, 'nowhere'), 'App'), {code: 'NOT_FOUND'})
      const root = await repository('without')
      assert.deepEqual((await read(root, 'None')).packages.length, 3)
      await add(root, 'None')
      assert.deepEqual((await read(root, 'None')).packages.length, 4)
    })
  })
})
