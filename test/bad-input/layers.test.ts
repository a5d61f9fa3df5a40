import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {classicMembers, hybridMembers, partsOf, tarOf} from '../helpers/archives.js'
import {assertRefused, DECODING_TARGETS, layerOf, type LayerMember} from '../helpers/refusals.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

interface Row {
  readonly title: string
  /** Of the second of two layers. */
  readonly members: readonly LayerMember[]
  readonly code: string
  /** What the error must name, beside the archive and the layer. */
  readonly entry: string
}

const FILES: LayerMember = ['Files/', '']

const ROWS: readonly Row[] = [
  ...['../evil.txt', 'Files/../../evil.txt', 'Files/a/../b.txt', 'Files/a\\..\\b.txt'].map((name): Row => ({
    title: `the traversal ${name}`,
    members: [FILES, [name, 'x']],
    code: 'NAME_UNSAFE',
    entry: JSON.stringify(name).slice(1, -1),
  })),
  ...['/Files/a.txt', 'C:/Windows/a.txt', 'Files/C:a.txt', '//server/share/a.txt', '\\\\?\\C:\\a.txt'].map(
    (name): Row => ({
      title: `the absolute name ${name}`,
      members: [FILES, [name, 'x']],
      code: 'NAME_UNSAFE',
      entry: JSON.stringify(name).slice(1, -1),
    }),
  ),
  ...['Files/CON', 'Files/NUL.txt', 'Files/com1.log', 'Files/Aux/b.txt', 'Files/LPT¹', 'Files/CONIN$'].map(
    (name): Row => ({
      title: `the reserved name ${name}`,
      members: [FILES, [name, 'x']],
      code: 'NAME_RESERVED',
      entry: name,
    }),
  ),
  ...['Files/dot.', 'Files/space ', 'Files/dots.../b', 'Files/ /b'].map((name): Row => ({
    title: `the name '${name}', which ends in a dot or space`,
    members: [FILES, [name, 'x']],
    code: 'NAME_RESERVED',
    entry: name,
  })),
  {
    title: 'a name with a control character',
    members: [FILES, ['Files/a\u0007b', 'x']],
    code: 'NAME_UNSAFE',
    entry: 'Files/a\\u0007b',
  },
  {
    title: 'a name longer than NTFS has them',
    members: [FILES, [`Files/${'n'.repeat(256)}`, 'x']],
    code: 'NAME_UNSAFE',
    entry: 'Files/nnnn',
  },
  {
    title: 'two names that differ in case only',
    members: [FILES, ['Files/Readme.txt', 'a'], ['Files/README.TXT', 'b']],
    code: 'NAME_COLLISION',
    entry: 'Files/README.TXT',
  },
  {
    title: 'two folders that differ in case, with one name in both',
    members: [FILES, ['Files/Dir/', ''], ['Files/Dir/a', '1'], ['Files/DIR/a', '2']],
    code: 'NAME_COLLISION',
    entry: 'Files/DIR/a',
  },
  {
    title: 'two names that are one by the table of NTFS',
    members: [FILES, ['Files/straße', 'a'], ['Files/STRAßE', 'b']],
    code: 'NAME_COLLISION',
    entry: 'Files/STRAßE',
  },
  {
    title: 'an entry that is there twice',
    members: [FILES, ['Files/a.txt', 'first'], ['Files/b.txt', ''], ['Files/a.txt', 'second']],
    code: 'DUPLICATE_ENTRY',
    entry: 'Files/a.txt',
  },
  {
    title: 'a file in the place of a folder',
    members: [FILES, ['Files/a', 'file'], ['Files/a/b', 'x']],
    code: 'NAME_COLLISION',
    entry: 'Files/a',
  },
  {
    title: 'a hard link to nothing',
    members: [FILES, ['Files/link', {hardLink: 'Files/nowhere'}]],
    code: 'LINK_TARGET_MISSING',
    entry: 'Files/link',
  },
  {
    title: 'a hard link that leads out',
    members: [FILES, ['Files/link', {hardLink: '../../etc/passwd'}]],
    code: 'NAME_UNSAFE',
    entry: '../../etc/passwd',
  },
  {
    title: 'a hard link to itself',
    members: [FILES, ['Files/link', {hardLink: 'Files/link'}]],
    code: 'LINK_TARGET_MISSING',
    entry: 'Files/link',
  },
  {
    title: 'hard links that lead in a circle',
    members: [
      FILES,
      ['Files/a', {hardLink: 'Files/b'}],
      ['Files/b', {hardLink: 'Files/a'}],
      ['Files/c', {hardLink: 'Files/a'}],
    ],
    code: 'LINK_TARGET_MISSING',
    entry: 'Files/',
  },
  {
    title: 'a whiteout that leads out',
    members: [FILES, ['Files/../../.wh.a', '']],
    code: 'NAME_UNSAFE',
    entry: 'Files/../../a',
  },
  {
    title: 'a name outside of the payload',
    members: [FILES, ['etc/passwd', 'x']],
    code: 'NAME_UNSAFE',
    entry: 'etc/passwd',
  },
  {
    title: 'a file that would be taken for the metadata of a folder',
    members: [FILES, ['Files/a.$wcidirs$', 'x']],
    code: 'NAME_UNSAFE',
    entry: 'Files/a.$wcidirs$',
  },
]

describe('bad input: layers', () => {
  const folder = temporaryFolder()
  let count = 0

  for (const {title, members, code, entry} of ROWS) {
    for (const target of DECODING_TARGETS) {
      it(`with ${title} are refused with ${code}, and nothing is changed: ${target.title}`, async () => {
        const place = path.join(folder.path, String(count++))
        mkdirSync(place)
        const file = path.join(place, 'image.tar')
        const sound = await layerOf([FILES, ['Files/below.txt', 'of a layer below']])
        const parts = partsOf([sound, await layerOf(members)])
        writeFileSync(
          file,
          await tarOf(count % 2 === 0 ? classicMembers(parts) : hybridMembers(parts, {compressed: true})),
        )
        await assertRefused(`docker-archive:${file}`, target, path.join(place, 'to'), {
          code,
          names: [file, 'layer 1', entry],
        })
      })
    }
  }
})
