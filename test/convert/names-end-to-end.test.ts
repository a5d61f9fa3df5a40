import assert from 'node:assert/strict'
import {mkdir, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {convert} from '../../src/convert/convert.js'
import {compare} from '../../src/convert/diff.js'
import {files, readFile} from '../../src/convert/files.js'
import {verify} from '../../src/convert/verify.js'
import {writeLayout} from '../../src/formats/transport-layout/write-layout.js'
import {hybridMembers, partsOf, tarOf} from '../helpers/archives.js'
import {collect} from '../helpers/bytes.js'
import {
  directoryEntry,
  fileEntry,
  junctionEntry,
  layerOf as entryLayer,
  tombstone,
} from '../helpers/file-system-model.js'
import {CONFIG} from '../helpers/layer-archives.js'
import {layerOf, type LayerMember} from '../helpers/refusals.js'
import {assertExactRoundTrip} from '../helpers/round-trip.js'
import {runCli} from '../helpers/run-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const FILES: LayerMember = ['Files/', '']

describe('names in time, end to end', () => {
  const folder = temporaryFolder()
  let count = 0

  async function save(layers: readonly (readonly LayerMember[])[]): Promise<string> {
    const tars = await Promise.all(layers.map(layerOf))
    const file = path.join(folder.path, `${count++}.tar`)
    await writeFile(file, await tarOf(hybridMembers(partsOf(tars))))
    return file
  }

  async function textOf(reference: string, name: string): Promise<string> {
    return (await collect(readFile(reference, name))).toString('utf8')
  }

  for (const {title, upper, t1, isLink} of [
    {
      title: 'a link that comes before its target changes',
      upper: [FILES, ['Files/t1', {hardLink: 'Files/t2'}], ['Files/t2', '456']],
      t1: '123',
      isLink: false,
    },
    {
      title: 'a link in other case that comes before its target changes',
      upper: [FILES, ['Files/t1', {hardLink: 'Files/T2'}], ['Files/t2', '456']],
      t1: '123',
      isLink: false,
    },
    {
      title: 'a link in other case that comes after its target has changed',
      upper: [FILES, ['Files/t2', '456'], ['Files/t1', {hardLink: 'Files/T2'}]],
      t1: '456',
      isLink: true,
    },
    {
      title: 'a link whose target is then deleted',
      upper: [FILES, ['Files/t1', {hardLink: 'Files/t2'}], ['Files/.wh.t2', '']],
      t1: '123',
      isLink: false,
    },
    {
      title: 'names that are cleaned',
      upper: [FILES, ['Files/./t1', {hardLink: './/Files//./t2'}], ['Files//t3/.', '']],
      t1: '123',
      isLink: true,
    },
  ] satisfies {title: string; upper: LayerMember[]; t1: string; isLink: boolean}[])
    it(`gives ${title} one meaning everywhere`, async () => {
      const file = await save([[FILES, ['Files/t2', '123']], upper])
      const archive = `docker-archive:${file}`
      const {top} = await assertExactRoundTrip(file, path.join(folder.path, `chain-${count}`))
      const squashed = `inbox:${path.join(folder.path, `squashed-${count}`)}`
      const report = await convert(archive, squashed, {layers: 'squash', osLayers: 0})
      const flat = report.artifacts.at(-1)!.reference
      for (const reference of [archive, top, flat]) {
        assert.equal(await textOf(reference, 'Files/t1'), t1, reference)
        assert.deepEqual((await verify(reference)).faults, [])
      }
      assert.deepEqual((await compare(archive, top)).files, [])
      const row = (await files(archive, 'Files/t1')).entries[0]!
      assert.equal(row.kind, isLink ? 'hard-link' : 'file')
      if (!isLink) assert.equal(row.size, t1.length)
    })

  for (const {title, layers, code} of [
    {
      title: 'an entry below a symbolic link of a lower layer',
      layers: [
        [FILES, ['Files/link', {symlink: 'C:\\Windows'}]],
        [FILES, ['Files/link/x', 'evil']],
      ],
      code: 'NAME_UNSAFE',
    },
    {
      title: 'an entry below a symbolic link of its own layer',
      layers: [[FILES, ['Files/link', {symlink: 'C:\\Windows'}], ['Files/link/x', 'evil']]],
      code: 'NAME_UNSAFE',
    },
    {
      title: 'a hard link to a hive',
      layers: [[FILES, ['Hives/', ''], ['Hives/x', ''], ['Files/x', {hardLink: 'Hives/x'}]]],
      code: 'NAME_UNSAFE',
    },
    {
      title: 'a link to what a middle layer deleted',
      layers: [
        [FILES, ['Files/f', 'f']],
        [FILES, ['Files/.wh.f', '']],
        [FILES, ['Files/x', {hardLink: 'Files/f'}]],
      ],
      code: 'LINK_TARGET_MISSING',
    },
    {
      title: 'a link to itself',
      layers: [
        [FILES, ['Files/f', 'f']],
        [FILES, ['Files/f', {hardLink: 'Files/f'}]],
      ],
      code: 'LINK_TARGET_MISSING',
    },
    {
      title: 'a name with a folder that leads up',
      layers: [[FILES, ['Files/a/../b', 'b']]],
      code: 'NAME_UNSAFE',
    },
  ] satisfies {title: string; layers: LayerMember[][]; code: string}[])
    it(`refuses ${title} for every destination, and verify tells it`, async () => {
      const archive = `docker-archive:${await save(layers)}`
      for (const [kind, options] of [
        ['inbox', {layers: 'chain'}],
        ['inbox', {layers: 'squash', osLayers: 0}],
        ['layout', {layers: 'squash', osLayers: 0}],
        ['appx', {layers: 'chain'}],
        ['docker-archive', {layers: 'squash', osLayers: 0}],
      ] as const) {
        // One layer alone passes between archives as it is.
        if (kind === 'docker-archive' && layers.length === 1) continue
        const destination = `${kind}:${path.join(folder.path, `refused-${count++}`)}`
        await assert.rejects(convert(archive, destination, options), {code}, `${kind} ${options.layers}`)
      }
      const {faults} = await verify(archive)
      assert.ok(
        faults.some((fault) => fault.code === code),
        JSON.stringify(faults),
      )
      assert.equal((await runCli(['verify', archive])).code, 1)
    })

  for (const {title, entries} of [
    {title: 'a file behind a junction', entries: [junctionEntry('Files/j'), fileEntry('Files/j/x', 'evil')]},
    {title: 'a deletion behind a junction', entries: [junctionEntry('Files/j'), tombstone('Files/j/x')]},
  ])
    it(`refuses a transport layout that holds ${title}`, async () => {
      const root = path.join(folder.path, `layout-${count++}`)
      await mkdir(root)
      const all = [directoryEntry('Files'), directoryEntry('Hives'), ...entries, fileEntry('Hives/System_Delta', '')]
      await writeLayout(root, entryLayer('evil', all).entries(), {title: root, form: 'delta', keepsRecipe: false})
      const archive = `docker-archive:${path.join(folder.path, `${count++}.tar`)}`
      await assert.rejects(convert(`layout:${root}`, archive), {code: 'NAME_UNSAFE'})
      const {faults} = await verify(`layout:${root}`)
      assert.ok(faults.some(({code}) => code === 'NAME_UNSAFE'))
    })

  it('gives back a base whose utility VM has no top entry', async () => {
    const file = await save([
      [
        FILES,
        [`${CONFIG}/SYSTEM`, ''],
        ['UtilityVM/Files/EFI/boot.efi', 'boot'],
        ['UtilityVM/Files/link', {hardLink: 'UtilityVM/Files/EFI/boot.efi'}],
        ['Files/boot', {hardLink: 'UtilityVM/Files/EFI/boot.efi'}],
      ],
      [FILES, ['Files/a', 'a']],
    ])
    const {top} = await assertExactRoundTrip(file, path.join(folder.path, 'vm'))
    assert.equal(await textOf(top, 'Files/boot'), 'boot')
    assert.equal(await textOf(top, 'UtilityVM/Files/link'), 'boot')
  })
})
