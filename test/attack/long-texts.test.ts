import assert from 'node:assert/strict'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {imageNamesOf, templateValues} from '../../src/batch/template.js'
import {namesOf} from '../../src/batch/select-rows.js'
import {identityOfImage, referenceOfIdentity} from '../../src/convert/identity-mapping.js'
import {list} from '../../src/convert/list.js'
import {findDockerName, isNamedBy, nameKey, refOf} from '../../src/formats/image-documents/image-name.js'
import {hidePassword, hidePasswords} from '../../src/model/hidden-password.js'
import {findHiveRole} from '../../src/model/hive-role.js'
import type {LayerPath} from '../../src/model/layer-path.js'
import {printable, printableLines} from '../../src/model/printable.js'
import {upTo, withoutEnd, withoutStart} from '../../src/model/text-ends.js'
import {sourceLabels} from '../../src/transports/containerd/labels.js'
import {findChallenge} from '../../src/transports/docker/challenge.js'
import {nextPage} from '../../src/transports/docker/pages.js'
import {tarOf} from '../helpers/archives.js'
import {paxMember, rawMember} from '../helpers/raw-tar.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

/** A run of one character that does not reach the end: what backtracks from each place of it never comes to an end. */
const LENGTH = 300_000
const RUNS = ['/', '\\', '.', '-', '_', '@', ':', '{', '}', '=', ' ', '\n', '\0', 'a', 'A', '0', '"', "'", '%', '<', ',', './', '{}.TM', 'a.', '@a'] // prettier-ignore
const ENDS = ['', '!', 'x', '\n', '/x']

const ROW = {kind: 'image', reference: 'oci:x', names: [] as readonly string[]} as const

/** Everything that takes texts as an archive, a layer, a registry or a hive states them. */
const TAKERS: Readonly<Record<string, (text: string) => unknown>> = {
  findDockerName,
  nameKey,
  refOf,
  isNamedBy: (text) => isNamedBy(text, 'latest'),
  namesOf: (text) => namesOf({...ROW, names: [text]}),
  imageNamesOf: (text) => imageNamesOf({names: [text]}),
  templateValues: (text) => templateValues({...ROW, names: [text]}, text),
  identityOfImage: (text) => identityOfImage(text, {osVersion: text, imageId: `sha256:${'0'.repeat(64)}`} as never),
  referenceOfIdentity: (text) => referenceOfIdentity({publisher: `CN=${text}`, name: text, version: '1.0.0.0'}),
  findHiveRole: (text) => findHiveRole(text as LayerPath),
  printable,
  printableLines,
  hidePassword,
  hidePasswords,
  sourceLabels: (text) => sourceLabels([text]),
  findChallenge,
  nextPage: (text) => nextPage(text, new URL('http://registry/v2/')),
  withoutEnd: (text) => withoutEnd(text, text.slice(0, 1)),
  withoutStart: (text) => withoutStart(text, text.slice(0, 1)),
  upTo: (text) => upTo(text, '!'),
}

describe('texts of any length', () => {
  const folder = temporaryFolder()

  for (const [name, take] of Object.entries(TAKERS))
    it(`take a time that grows with them alone: ${name}`, () => {
      for (const run of RUNS)
        for (const end of ENDS) {
          const text = `${run.repeat(LENGTH / run.length)}${end}`
          try {
            take(text)
          } catch (error) {
            assert.ok(error instanceof Error)
          }
        }
    })

  it('may be names of members', async () => {
    const archive = path.join(folder.path, 'long.tar')
    const parts: Buffer[] = []
    for (const run of ['/', './', '\\', '.'])
      parts.push(paxMember([['path', `${run.repeat(500_000 / run.length)}x`]]), rawMember({name: 'y', type: '0'}))
    writeFileSync(archive, Buffer.concat([...parts, await tarOf([['manifest.json', '[]']])]))
    assert.deepEqual((await list(`docker-archive:${archive}`)).items, [])
  })
})

describe('ends of texts', () => {
  it('are taken off, and nothing else', () => {
    for (const [text, characters, end, start] of [
      ['', '/', '', ''],
      ['///', '/', '', ''],
      ['/a/', '/', '/a', 'a/'],
      ['a/b', '/', 'a/b', 'a/b'],
      ['.-a.-', '.-', '.-a', 'a.-'],
      ['aa', '/', 'aa', 'aa'],
    ] as const) {
      assert.equal(withoutEnd(text, characters), end)
      assert.equal(withoutStart(text, characters), start)
    }
  })

  it('begin at the first mark', () => {
    assert.equal(upTo('a:1@b', ':@'), 'a')
    assert.equal(upTo('a@b:1', ':@'), 'a')
    assert.equal(upTo('a', ':@'), 'a')
    assert.equal(upTo(':a', ':'), '')
    assert.equal(upTo('a@\nb', '@'), 'a')
  })
})
