import assert from 'node:assert/strict'
import {indexTar} from '../../../src/codecs/tar/index-tar.js'
import {MemberCounter} from '../../../src/codecs/tar/member-counter.js'
import {readTar, type TarMember} from '../../../src/codecs/tar/tar-reader.js'
import {TransshipError} from '../../../src/model/errors.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {longMember, paxMember, RAW_END, rawMember} from '../../helpers/raw-tar.js'

interface Read {
  readonly name: string
  readonly type: string
  readonly linkname: string
  readonly body: string
}

async function readAll(tar: Uint8Array): Promise<Read[]> {
  const members: Read[] = []
  for await (const item of readTar(chunked(tar, 300), {title: 'a tar'})) {
    if (item.kind === 'member') members.push(await factsOf(item))
  }
  return members
}

async function factsOf({name, type, linkname, content}: TarMember): Promise<Read> {
  return {name, type, linkname, body: (await collect(content.open())).toString('latin1')}
}

function tarOfMembers(...members: readonly Buffer[]): Buffer {
  return Buffer.concat([...members, RAW_END])
}

const file = (name: string, body = '') => ({name, type: 'file', linkname: '', body})

const READ: readonly {what: string; tar: Buffer; members: readonly Read[]}[] = [
  {
    what: 'a v7 directory: type NUL, the name ends in a slash',
    tar: tarOfMembers(
      rawMember({name: 'a/', type: '\0', format: 'v7'}),
      rawMember({name: 'a/b', type: '\0', format: 'v7'}, 'x'),
    ),
    members: [{...file('a/'), type: 'directory'}, file('a/b', 'x')],
  },
  {
    what: 'a directory with the type of a file, the name ends in a slash',
    tar: tarOfMembers(rawMember({name: 'a/'}), rawMember({name: 'b'}, 'x')),
    members: [{...file('a/'), type: 'directory'}, file('b', 'x')],
  },
  {
    what: 'a directory by a long name of GNU that ends in a slash',
    tar: tarOfMembers(longMember('L', `${'d'.repeat(120)}/`), rawMember({name: 'ddd', type: '\0', format: 'gnu'})),
    members: [{...file(`${'d'.repeat(120)}/`), type: 'directory'}],
  },
  {
    what: 'two extended headers: the last one stands alone',
    tar: tarOfMembers(
      paxMember([
        ['path', 'first'],
        ['linkpath', 'target-of-first'],
      ]),
      paxMember([['path', 'second']]),
      rawMember({name: 'own', type: '2', linkname: 'own-target'}),
    ),
    members: [{name: 'second', type: 'symlink', linkname: 'own-target', body: ''}],
  },
  {
    what: 'two extended headers: the size of the first is forgotten',
    tar: tarOfMembers(paxMember([['size', '1']]), paxMember([['comment', 'x']]), rawMember({name: 'a'}, 'body')),
    members: [file('a', 'body')],
  },
  {
    what: 'two long names: the last one stands',
    tar: tarOfMembers(longMember('L', 'first'), longMember('L', 'second'), rawMember({name: 'x', format: 'gnu'})),
    members: [file('second')],
  },
  {
    what: 'an empty PAX value: the header holds',
    tar: tarOfMembers(
      paxMember([
        ['path', ''],
        ['size', ''],
      ]),
      rawMember({name: 'own'}, 'abc'),
    ),
    members: [file('own', 'abc')],
  },
  {
    what: 'a PAX size with a sign and zeros in front',
    tar: tarOfMembers(paxMember([['size', '+00000000000000000000003']]), rawMember({name: 'a', size: 9}, 'abc')),
    members: [file('a', 'abc')],
  },
  {
    what: 'a size in base 256',
    tar: tarOfMembers(
      Buffer.concat([rawMember({name: 'a', patch: {124: Buffer.from('800000000000000000000003', 'hex')}}, 'abc')]),
    ),
    members: [file('a', 'abc')],
  },
  {
    what: 'numbers in spaces, with rubbish behind their NUL',
    tar: tarOfMembers(rawMember({name: 'a', patch: {124: '         3\0x'}}, 'abc')),
    members: [file('a', 'abc')],
  },
  {
    what: 'a name and a PAX path that say the same in two ways',
    tar: tarOfMembers(paxMember([['path', 'same']]), longMember('L', 'same'), rawMember({name: 'x', format: 'gnu'})),
    members: [file('same')],
  },
  {
    what: 'a star header, whose prefix is shorter than that of ustar',
    tar: tarOfMembers(rawMember({name: 'b', format: 'star', patch: {345: 'p'.repeat(131), 476: '00000000001\0'}}, 'x')),
    members: [file(`${'p'.repeat(131)}/b`, 'x')],
  },
  {
    what: 'a GNU header with times where ustar has its prefix',
    tar: tarOfMembers(rawMember({name: 'b', format: 'gnu', patch: {345: '00000000001\0'}}, 'x')),
    members: [file('b', 'x')],
  },
  {
    what: 'a link, a directory and a device with a size and no body',
    tar: tarOfMembers(
      rawMember({name: 'l', type: '1', linkname: 't', size: 700}),
      rawMember({name: 'd', type: '5', size: 700}),
      rawMember({name: 'p', type: '6', size: 700}),
      rawMember({name: 'f'}, 'x'),
    ),
    members: [
      {name: 'l', type: 'hard-link', linkname: 't', body: ''},
      {...file('d'), type: 'directory'},
      {...file('p'), type: 'device'},
      file('f', 'x'),
    ],
  },
  {
    what: 'a global header of comments alone',
    tar: tarOfMembers(paxMember([['comment', 'of git archive']], 'g'), rawMember({name: 'a'}, 'x')),
    members: [file('a', 'x')],
  },
]

const REFUSED: readonly {what: string; tar: Buffer; why: RegExp}[] = [
  {
    what: 'a PAX path beside another long name',
    tar: tarOfMembers(paxMember([['path', 'one']]), longMember('L', 'two'), rawMember({name: 'x', format: 'gnu'})),
    why: /two names/,
  },
  {
    what: 'a PAX link path beside another long link',
    tar: tarOfMembers(longMember('K', 'two'), paxMember([['linkpath', 'one']]), rawMember({name: 'x', type: '2'})),
    why: /two link targets/,
  },
  ...['path', 'size', 'mtime', 'GNU.sparse.map', 'MSWINDOWS.fileattr', 'LIBARCHIVE.creationtime'].map((key) => ({
    what: `a global header that states ${key}`,
    tar: tarOfMembers(paxMember([[key, '1']], 'g'), rawMember({name: 'a'}, 'x')),
    why: new RegExp(`states '${key.replaceAll('.', '\\.')}'`),
  })),
  {
    what: 'a global header between a member and its own',
    tar: tarOfMembers(paxMember([['path', 'a']]), paxMember([['comment', 'x']], 'g'), rawMember({name: 'b'})),
    why: /PAX header separates/,
  },
  ...['-5', '1e3', '0x10', '99999999999999999999', ' 5', '5 '].map((size) => ({
    what: `a PAX size of '${size}'`,
    tar: tarOfMembers(paxMember([['size', size]]), rawMember({name: 'a'}, 'abc')),
    why: /PAX size is not a number/,
  })),
  {
    what: 'a PAX time that is none',
    tar: tarOfMembers(paxMember([['mtime', '1.2.3']]), rawMember({name: 'a'})),
    why: /mtime is not a time/,
  },
  {
    what: 'a PAX path with a NUL',
    tar: tarOfMembers(paxMember([['path', 'a\0b']]), rawMember({name: 'a'})),
    why: /PAX header is malformed/,
  },
  {
    what: 'a directory by its name, with a body',
    tar: tarOfMembers(rawMember({name: 'a/'}, 'body')),
    why: /name of a directory but a body of 4 bytes/,
  },
  {
    what: 'a size with a NUL in front',
    tar: tarOfMembers(rawMember({name: 'a', patch: {124: '\x000000000003\0'}}, 'abc')),
    why: /NUL before its field 'size'/,
  },
  {
    what: 'a size that is no octal number',
    tar: tarOfMembers(rawMember({name: 'a', patch: {124: '0000000008\0'}}, 'abc')),
    why: /its field 'size' is not a number/,
  },
  {
    what: 'a negative size in base 256',
    tar: tarOfMembers(rawMember({name: 'a', patch: {124: Buffer.alloc(12, 0xff)}})),
    why: /negative size/,
  },
  {
    what: 'a GNU header with text where its times belong',
    tar: tarOfMembers(rawMember({name: 'a', format: 'gnu', patch: {345: 'folder'}})),
    why: /text in place of its times/,
  },
  {
    what: 'more extended headers than any writer makes',
    tar: tarOfMembers(...Array.from({length: 40}, () => paxMember([['comment', 'x']])), rawMember({name: 'a'})),
    why: /too many extended headers/,
  },
]

describe('dialects of tar', () => {
  for (const {what, tar, members} of READ) {
    it(`reads ${what}`, async () => {
      assert.deepEqual(await readAll(tar), members)
    })

    it(`finds the same without reading bodies, and counts as many: ${what}`, async () => {
      const access = {
        size: tar.length,
        read: (at: number, length: number) => Promise.resolve(tar.subarray(at, at + length)),
      }
      const index = await indexTar(access, {title: 'a tar'})
      assert.deepEqual(
        index.map(({name, kind, linkname, offset, size}) => {
          return {name, type: kind, linkname, body: tar.toString('latin1', offset, offset + size)}
        }),
        members,
      )
      const counter = new MemberCounter()
      for await (const chunk of chunked(tar, 100)) counter.update(chunk)
      assert.equal(counter.members, members.length)
    })
  }

  for (const {what, tar, why} of REFUSED) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(readAll(tar), (error: unknown) => error instanceof TransshipError && why.test(error.message))
    })
  }

  it('is read or refused, never worse, when a dialect is cut at any length', async () => {
    for (const {tar} of READ)
      for (let length = 0; length < tar.length; length += 13) {
        await readAll(tar.subarray(0, length)).catch((error: unknown) => {
          assert.ok(error instanceof TransshipError, String(error))
        })
      }
  })
})
