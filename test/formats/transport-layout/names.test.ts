import assert from 'node:assert/strict'
import {cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {decodeTombstones} from '../../../src/codecs/tombstones/tombstones.js'
import type {LayerEntry} from '../../../src/model/layer-entry.js'
import {convert} from '../../../src/convert/convert.js'
import {verify} from '../../../src/convert/verify.js'
import {writeLayout} from '../../../src/formats/transport-layout/write-layout.js'
import {directoryEntry, fileEntry, linkEntry, tombstone} from '../../helpers/file-system-model.js'
import {ALL_TARGETS, assertRefused} from '../../helpers/refusals.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const WEB = 'CN=Contoso_WebServer_1.0.0.0'
const PARTS = ['Files', 'Hives', 'Files.$wcidirs$', 'Hives.$wcidirs$', 'tombstones.txt']
/** An empty file, as Microsoft's importer writes it; and a folder's sidecar. */
const CARRIER = Buffer.from('200000000100000000000000000000000000000000000000', 'hex')
const SIDECAR = Buffer.from('10000000', 'hex')

const file = (name: string) => (root: string) => {
  writeFileSync(path.join(root, name), CARRIER, {flag: 'wx'})
}
const folder = (name: string) => (root: string) => {
  mkdirSync(path.join(root, name))
  writeFileSync(path.join(root, `${name}.$wcidirs$`), SIDECAR, {flag: 'wx'})
}
const sidecar = (name: string) => (root: string) => {
  writeFileSync(path.join(root, name), SIDECAR, {flag: 'wx'})
}

/** Names that a case-sensitive disk holds side by side and Windows does not; the last one is named by the refusal. */
const TWINS: readonly {title: string; make: readonly ((root: string) => void)[]; names: readonly string[]; code?: string}[] =
  [
    {title: 'two files', make: [file('Files/settings.json'), file('Files/SETTINGS.JSON')], names: ['settings.json', 'SETTINGS.JSON']},
    {title: 'a file and a folder', make: [file('Files/Shop'), folder('Files/shop')], names: ['Files/Shop', 'Files/shop']},
    {title: 'two folders with different files', make: [folder('Files/Web'), file('Files/Web/a'), folder('Files/WEB'), file('Files/WEB/b')], names: ['Files/Web', 'Files/WEB']},
    {title: 'two files deep inside', make: [folder('Files/x'), folder('Files/x/y'), file('Files/x/y/q.dll'), file('Files/x/y/Q.dll')], names: ['Files/x/y/q.dll', 'Files/x/y/Q.dll']},
    {title: 'letters beyond ASCII', make: [file('Files/äpfel'), file('Files/ÄPFEL')], names: ['Files/äpfel', 'Files/ÄPFEL']},
    {title: 'a pair that only the table of NTFS has', make: [file('Files/\u00ff'), file('Files/\u0178')], names: ['Files/\u00ff', 'Files/\u0178']},
    {title: 'a folder and the sidecar of its twin', make: [folder('Files/Web'), sidecar('Files/WEB.$wcidirs$')], names: ['Files/WEB']},
    {title: 'a file and the sidecar of its twin', make: [file('Files/Web'), sidecar('Files/WEB.$wcidirs$')], names: ['Files/WEB']},
    {title: 'two hives', make: [(root) => { cpSync(path.join(root, 'Hives/System_Delta'), path.join(root, 'Hives/SYSTEM_DELTA')) }], names: ['Hives/SYSTEM_DELTA', 'Hives/System_Delta']},
    {title: 'the top folder', make: [(root) => { mkdirSync(path.join(root, 'FILES')) }], names: ['FILES', 'Files']},
    {title: 'the list of deletions', make: [(root) => { writeFileSync(path.join(root, 'Tombstones.TXT'), '') }], names: ['Tombstones.TXT', 'tombstones.txt']},
    {title: 'a sidecar in another case', make: [folder('Files/Web'), (root) => { renameSync(path.join(root, 'Files/Web.$wcidirs$'), path.join(root, 'Files/Web.$WCIDIRS$')) }], names: ['Files/Web.$WCIDIRS$'], code: 'NAME_UNSAFE'},
    {title: 'the sidecar of a top folder in another case', make: [sidecar('FILES.$wcidirs$')], names: ['FILES.$wcidirs$'], code: 'NAME_COLLISION|NAME_UNSAFE'},
    {title: 'a folder called like a sidecar', make: [(root) => { mkdirSync(path.join(root, 'Files/odd.$wcidirs$')) }], names: ['Files/odd.$wcidirs$'], code: 'NAME_UNSAFE'},
    {title: 'a device with spaces before the dot', make: [file('Files/NUL .txt')], names: ['NUL .txt'], code: 'NAME_RESERVED'},
  ] // prettier-ignore

describe('names that are one on Windows', function () {
  this.timeout(60_000)
  const place = temporaryFolder()
  const fresh = () => mkdtempSync(path.join(place.path, 'case-'))

  function layoutWith(make: (typeof TWINS)[number]['make']): string {
    const root = path.join(fresh(), 'layout')
    for (const name of PARTS)
      cpSync(path.join('samples/repository', WEB, name), path.join(root, name), {recursive: true})
    for (const each of make) each(root)
    return root
  }

  function repositoryWith(make: (typeof TWINS)[number]['make']): string {
    const root = path.join(fresh(), 'repository')
    cpSync('samples/repository', root, {recursive: true})
    for (const each of make) each(path.join(root, WEB))
    return root
  }

  for (const {title, make, names, code = 'NAME_COLLISION'} of TWINS) {
    it(`are refused towards every destination, from a layout and a repository: ${title}`, async () => {
      const layout = `layout:${layoutWith(make)}`
      const repository = `inbox:${repositoryWith(make)}`
      for (const target of ALL_TARGETS) {
        await assertRefused(layout, target, fresh(), {code, names})
        await assertRefused(`${repository}:WebServer`, target, fresh(), {code, names})
      }
    })

    it(`are a fault for verify: ${title}`, async () => {
      for (const reference of [`layout:${layoutWith(make)}`, `inbox:${repositoryWith(make)}`]) {
        const {ok, faults} = await verify(reference)
        assert.equal(ok, false)
        const fault = faults.find((each) => code.split('|').includes(each.code))
        assert.ok(fault !== undefined, JSON.stringify(faults))
        for (const name of names) assert.ok(fault.message.includes(name), fault.message)
      }
    })
  }

  for (const [one, other] of [
    ['Files/stra\u00dfe', 'Files/STRASSE'],
    ['Files/k', 'Files/\u212a'],
    ['Files/I', 'Files/\u0131'],
    ['Files/\u00e9', 'Files/e\u0301'],
    ['Files/\ud801\udc28', 'Files/\ud801\udc00'],
  ] as const)
    it(`are not mistaken: ${one} and ${other}`, async () => {
      const layout = layoutWith([file(one), file(other)])
      const archive = `docker-archive:${path.join(layout, '..', 'image.tar')}`
      await convert(`layout:${layout}`, archive, {})
      assert.deepEqual((await verify(archive)).faults, [])
    })

  for (const {title, entries, code} of [
    {title: 'two files', entries: [fileEntry('Files/a', '1'), fileEntry('Files/A', '2')], code: 'NAME_COLLISION'},
    {title: 'the same file', entries: [fileEntry('Files/a', '1'), fileEntry('Files/a', '2')], code: 'DUPLICATE_ENTRY'},
    {
      title: 'a file, then a folder',
      entries: [fileEntry('Files/a', '1'), directoryEntry('Files/A')],
      code: 'NAME_COLLISION',
    },
    {
      title: 'a folder, then a file',
      entries: [directoryEntry('Files/A'), fileEntry('Files/a', '1')],
      code: 'NAME_COLLISION',
    },
    {
      title: 'a folder that no entry states, then a file',
      entries: [fileEntry('Files/A/x', '1'), fileEntry('Files/a', '1')],
      code: 'NAME_COLLISION',
    },
    {
      title: 'a file, then what lies in it',
      entries: [fileEntry('Files/a', '1'), fileEntry('Files/A/x', '1')],
      code: 'NAME_COLLISION',
    },
    {title: 'two folders', entries: [directoryEntry('Files/A'), directoryEntry('Files/a')], code: 'NAME_COLLISION'},
    {
      title: 'a link to a file of its own name',
      entries: [fileEntry('Files/a', '1'), linkEntry('Files/A', 'Files/a')],
      code: 'NAME_COLLISION',
    },
    {
      title: 'a file after a link',
      entries: [fileEntry('Files/a', '1'), linkEntry('Files/b', 'Files/a'), fileEntry('Files/B', '2')],
      code: 'NAME_COLLISION',
    },
  ] as readonly {title: string; entries: readonly LayerEntry[]; code: string}[])
    // prettier-ignore
    it(`are refused by the writer of layouts, whatever reader let them through: ${title}`, async () => {
      // eslint-disable-next-line @typescript-eslint/require-await
      async function* given(): AsyncGenerator<LayerEntry> {
        yield* entries
      }
      const options = {title: 'it', form: 'delta', keepsRecipe: false} as const
      await assert.rejects(writeLayout(fresh(), given(), options), {code})
    })

  it('are one in the list of deletions too: Windows would delete what was made again in another case', async () => {
    const root = fresh()
    // eslint-disable-next-line @typescript-eslint/require-await
    async function* given(): AsyncGenerator<LayerEntry> {
      yield* [tombstone('Files/README'), tombstone('Files/gone'), fileEntry('Files/readme', 'new')]
    }
    await writeLayout(root, given(), {title: 'it', form: 'delta', keepsRecipe: false})
    assert.deepEqual(decodeTombstones(readFileSync(path.join(root, 'tombstones.txt'))), ['Files/gone'])
  })
})
