import assert from 'node:assert/strict'
import {
  familiarNameOf,
  findDockerName,
  findTaggedName,
  fullNameOf,
  isSameName,
  refOf,
} from '../../../src/formats/image-documents/image-name.js'

const SHA = `sha256:${'f'.repeat(64)}`
const HEX = '1a3f5e7d'.repeat(8)

/** By the grammar of distribution/reference: normalize.go and regexp.go. */
const NAMES: readonly {text: string; full: string; familiar?: string; ref?: string; note: string}[] = [
  {text: 'web', full: 'docker.io/library/web:latest', familiar: 'web:latest', ref: 'latest', note: 'a name alone'},
  {text: 'web:1', full: 'docker.io/library/web:1', familiar: 'web:1', ref: '1', note: 'a tag'},
  {text: 'web:Uppercase', full: 'docker.io/library/web:Uppercase', ref: 'Uppercase', note: 'tags may have capitals'},
  {text: `web@${SHA}`, full: `docker.io/library/web@${SHA}`, ref: `web@${SHA}`, note: 'a digest'},
  {text: `web:1@${SHA}`, full: `docker.io/library/web:1@${SHA}`, ref: `1@${SHA}`, note: 'both'},
  {text: `a/web@sha512:${'0'.repeat(128)}`, full: `docker.io/a/web@sha512:${'0'.repeat(128)}`, note: 'SHA-512'},
  {text: `a/web@sha384:${'0'.repeat(96)}`, full: `docker.io/a/web@sha384:${'0'.repeat(96)}`, note: 'SHA-384'},
  {text: 'library/web', full: 'docker.io/library/web:latest', familiar: 'web:latest', note: 'spelt out'},
  {text: 'library/a/b', full: 'docker.io/library/a/b:latest', familiar: 'library/a/b:latest', note: 'nested'},
  {text: 'docker.io/web', full: 'docker.io/library/web:latest', familiar: 'web:latest', note: 'the host of Hub'},
  {text: 'index.docker.io/a/web:1', full: 'docker.io/a/web:1', familiar: 'a/web:1', note: 'its older host'},
  {text: 'localhost/web:1', full: 'localhost/web:1', note: 'localhost is a host without a port'},
  {text: 'localhost:5000/web', full: 'localhost:5000/web:latest', note: 'and with one'},
  {text: 'localhost', full: 'docker.io/library/localhost:latest', familiar: 'localhost:latest', note: 'but not alone'},
  {text: 'test:5000/repo:tag', full: 'test:5000/repo:tag', note: 'a port makes a host'},
  {
    text: 'test.com:5000',
    full: 'docker.io/library/test.com:5000',
    familiar: 'test.com:5000',
    note: 'no slash, no host',
  },
  {text: 'foo_bar.com:8080', full: 'docker.io/library/foo_bar.com:8080', note: 'an underscore is in no host'},
  {text: '192.168.1.1:5000/repo:5050', full: '192.168.1.1:5000/repo:5050', note: 'an address'},
  {text: `[2001:db8::1]:5000/repo:tag@${SHA}`, full: `[2001:db8::1]:5000/repo:tag@${SHA}`, note: 'of IPv6'},
  {text: '[::1]/repo', full: '[::1]/repo:latest', note: 'without a port'},
  {text: 'Foo/bar', full: 'Foo/bar:latest', note: 'a capital makes a host'},
  {text: 'REG.Example/bar:1', full: 'REG.Example/bar:1', note: 'whose case is kept'},
  {text: 'dock__er/a_b.c---d', full: 'docker.io/dock__er/a_b.c---d:latest', note: 'doubled underscores, more dashes'},
  {text: 'xn--n3h.com/i:xn--n3h.com', full: 'xn--n3h.com/i:xn--n3h.com', note: 'Punycode'},
  {text: `docker.io/${HEX}`, full: `docker.io/library/${HEX}:latest`, note: 'digits behind a host'},
  {text: `web:${'t'.repeat(128)}`, full: `docker.io/library/web:${'t'.repeat(128)}`, note: 'the longest tag'},
]

const OTHERS: readonly {text: string; ref: string; note: string}[] = [
  {text: 'Web:1', ref: '1', note: 'a capital without a host'},
  {text: 'test:5000/Web/x:1', ref: '1', note: 'or behind one'},
  {text: 'web:1+build.5', ref: '1+build.5', note: 'a plus in the tag'},
  {text: `web:${'t'.repeat(129)}`, ref: 't'.repeat(129), note: 'a tag that is too long'},
  {text: `${'a/'.repeat(128)}a:tag`, ref: 'tag', note: 'a name that is too long'},
  {text: 'web:-foo', ref: '-foo', note: 'a tag that begins with a dash'},
  {text: HEX, ref: HEX, note: 'an ID'},
  {text: 'a___b/web:1', ref: '1', note: 'three underscores'},
  {text: '-web', ref: '-web', note: 'a dash in front'},
  {text: 'web-/x', ref: 'web-/x', note: 'and behind'},
  {text: 'dock..er/x', ref: 'dock..er/x', note: 'two dots'},
  {text: 'a//b', ref: 'a//b', note: 'no part'},
  {text: 'a/', ref: 'a/', note: 'nothing behind the host'},
  {text: '[::1]:5000', ref: '5000', note: 'an address alone'},
  {text: '[fe80::1%eth0]:5000/x', ref: '[fe80::1%eth0]:5000/x', note: 'a zone'},
  {text: ':justtag', ref: 'justtag', note: 'a tag alone'},
  {text: `@${SHA}`, ref: 'f'.repeat(64), note: 'a digest alone'},
  {text: 'web@sha256:ffff', ref: 'ffff', note: 'a digest that is too short'},
  {text: `web@sha256:${'F'.repeat(64)}`, ref: 'F'.repeat(64), note: 'one with capitals'},
  {text: `web@sha384:${'0'.repeat(97)}`, ref: '0'.repeat(97), note: 'a SHA-384 that is too long'},
  {text: `web@sha384:${'0'.repeat(95)}`, ref: '0'.repeat(95), note: 'or too short'},
  {text: `web@xsha384:${'0'.repeat(96)}`, ref: '0'.repeat(96), note: 'or no SHA-384'},
  {text: `web@md5:${'0'.repeat(32)}`, ref: '0'.repeat(32), note: 'one that nothing is checked by'},
  {text: '', ref: '', note: 'nothing'},
]

describe('names of images', () => {
  for (const {text, full, familiar, ref, note} of NAMES)
    it(`are Docker's: '${text.slice(0, 60)}', ${note}`, () => {
      const name = findDockerName(text)
      assert.ok(name !== undefined)
      assert.equal(fullNameOf(name), full)
      assert.deepEqual(findDockerName(full)?.fullRepository, name.fullRepository)
      if (familiar !== undefined) assert.equal(familiarNameOf(name), familiar)
      if (ref !== undefined) assert.equal(refOf(text), ref)
      assert.ok(isSameName(text, full) && isSameName(familiarNameOf(name), text))
      assert.equal(findTaggedName(text)?.full, text.includes('@') ? undefined : full)
    })

  for (const {text, ref, note} of OTHERS)
    it(`are of another grammar: '${text.slice(0, 60)}', ${note}`, () => {
      assert.equal(findDockerName(text), undefined)
      assert.equal(findTaggedName(text), undefined)
      assert.equal(refOf(text), ref)
      assert.ok(isSameName(text, text) && !isSameName(text, 'web:1'))
    })

  it('are the same with the same digest only', () => {
    assert.ok(isSameName(`web@${SHA}`, `docker.io/library/web@${SHA}`))
    for (const other of ['web', 'web:latest', `web:latest@${SHA}`, `web@sha256:${'0'.repeat(64)}`, `a/web@${SHA}`])
      assert.ok(!isSameName(`web@${SHA}`, other), other)
  })
})
