import assert from 'node:assert/strict'
import {
  findDockerName,
  findTaggedName,
  hubAsDocker,
  isHost,
  isHostComponent,
  isNamedBy,
  isTag,
  nameKey,
  refOf,
  requireTaggedName,
} from '../../../src/formats/image-documents/image-name.js'
import {assertThrows} from '../../helpers/told.js'

const SHA = `sha256:${'f'.repeat(64)}`

describe('parts of the names of images', () => {
  for (const [text, expected] of [
    ['example.com', true],
    ['example.com:5000', true],
    ['a', true],
    ['A-b.c', true],
    ['[::1]', true],
    ['[2001:DB8::1]:443', true],
    ['', false],
    ['-a.com', false],
    ['a-.com', false],
    ['a..b', false],
    ['a.com:', false],
    ['a.com:x', false],
    ['a_b.com', false],
    ['[::1', false],
    ['[g::1]', false],
    ['a.com/', false],
  ] as const)
    it(`${expected ? 'are' : 'are not'} a host: '${text}'`, () => {
      assert.equal(isHost(text), expected)
    })

  for (const [text, expected] of [
    ['a.b', true],
    ['a:1', true],
    ['localhost', true],
    ['Upper', true],
    ['lower', false],
    ['localhosts', false],
    ['', false],
  ] as const)
    it(`${expected ? 'are' : 'are not'} a host in front of a slash: '${text}'`, () => {
      assert.equal(isHostComponent(text), expected)
    })

  for (const [text, expected] of [
    ['latest', true],
    ['_1', true],
    ['V1.0-rc_2', true],
    ['t'.repeat(128), true],
    ['t'.repeat(129), false],
    ['', false],
    ['.1', false],
    ['-1', false],
    ['a b', false],
    ['a:b', false],
  ] as const)
    it(`${expected ? 'are' : 'are not'} a tag: '${text.slice(0, 20)}'`, () => {
      assert.equal(isTag(text), expected)
    })

  it('have the newer name of Docker Hub', () => {
    assert.deepEqual(['index.docker.io', 'docker.io', 'quay.io'].map(hubAsDocker), [
      'docker.io',
      'docker.io',
      'quay.io',
    ])
  })

  it('are each told', () => {
    assert.deepEqual(findDockerName(`quay.io/a/b:1@${SHA}`), {
      repository: 'quay.io/a/b',
      fullRepository: 'quay.io/a/b',
      tag: '1',
      digest: SHA,
    })
    assert.deepEqual(findDockerName('web'), {repository: 'web', fullRepository: 'docker.io/library/web'})
    assert.deepEqual(findDockerName('index.docker.io/library/web'), findDockerName('web'))
  })

  it('of a tagged name are four', () => {
    assert.deepEqual(requireTaggedName('web'), {
      familiar: 'web:latest',
      full: 'docker.io/library/web:latest',
      repository: 'web',
      tag: 'latest',
    })
    assert.deepEqual(findTaggedName('quay.io/a:2'), {
      familiar: 'quay.io/a:2',
      full: 'quay.io/a:2',
      repository: 'quay.io/a',
      tag: '2',
    })
    assert.equal(findTaggedName(`web:1@${SHA}`), undefined)
  })

  for (const text of ['Web', '', `web@${SHA}`, 'a b', 'web:'])
    it(`are refused of '${text.slice(0, 10)}', with what it was`, () => {
      assertThrows(() => requireTaggedName(text), {code: 'BAD_REFERENCE', says: [`'${text}'`], advises: true})
    })

  // The longest name with its host is 255, a tag aside. Source: distribution reference.go, NameTotalLengthMax.
  for (const [host, length, isName] of [
    ['example.com', 243, true],
    ['example.com', 244, false],
    ['docker.io/library', 237, true],
    ['docker.io/library', 238, false],
  ] as const)
    it(`${isName ? 'may' : 'may not'} be ${length} long behind ${host}`, () => {
      const name = `${host}/${'a'.repeat(length)}`
      assert.equal(findDockerName(`${name}:tag`) !== undefined, isName)
      if (host.startsWith('docker.io')) assert.equal(findDockerName('a'.repeat(length)) !== undefined, isName)
    })

  it('are looked up by a key that tells names from other texts', () => {
    assert.equal(nameKey('web'), nameKey('docker.io/library/web:latest'))
    assert.notEqual(nameKey('web'), nameKey('web:1'))
    assert.notEqual(nameKey('Web:1'), nameKey('web:1'))
    // No text that is no name can be the key of one.
    assert.notEqual(nameKey('name docker.io/library/web:latest'), nameKey('web'))
    assert.equal(nameKey('No name'), nameKey('No name'))
  })

  for (const [name, selector, expected] of [
    ['web:1', '1', true],
    ['web:1', 'web:1', true],
    ['web:1', 'docker.io/library/web:1', true],
    ['web', 'latest', true],
    ['web:1', '2', false],
    ['web:1', 'web', false],
    [`web@${SHA}`, `docker.io/library/web@${SHA}`, true],
    [`web@${SHA}`, SHA, false],
    [`web:1@${SHA}`, `1@${SHA}`, true],
    ['Not:1', '1', true],
    ['Not:1', 'Not:1', true],
  ] as const)
    it(`select an image called '${name.slice(0, 12)}' by '${selector.slice(0, 12)}': ${expected}`, () => {
      assert.equal(isNamedBy(name, selector), expected)
    })

  it('leave a text without a tag as it is', () => {
    assert.deepEqual(['No', 'No:a/b', 'No:', 'a b:c:d'].map(refOf), ['No', 'No:a/b', 'No:', 'd'])
  })
})
