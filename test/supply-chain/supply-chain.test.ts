import assert from 'node:assert/strict'
import {assertStored} from '../helpers/snapshot.js'
import {describeDependencies, INSTALL_SCRIPTS, nameOf, readLock, readManifest, REASONS} from './dependencies.js'

/** Licences under which a package may be used and passed on, at run time. */
const LICENCES = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  '(MIT OR CC0-1.0)',
])

describe('the supply chain', () => {
  const lock = readLock()

  it('has a reason for each direct dependency, and none for another package', () => {
    const {dependencies, devDependencies, optionalDependencies} = readManifest()
    const direct = Object.keys({...dependencies, ...devDependencies, ...optionalDependencies})
    assert.deepEqual(Object.keys(REASONS).sort(), direct.sort())
  })

  it('describes them in docs/dependencies.md', async () => {
    await assertStored('docs/dependencies.md', describeDependencies())
  })

  it('pins every package by its SHA-512 digest, and names no other place than the registry', () => {
    assert.ok(lock.size > 100)
    for (const [place, {integrity, resolved, link}] of lock) {
      assert.match(integrity ?? '', /^sha512-[A-Za-z0-9+/]{86}==$/, place)
      assert.equal(link, undefined, place)
      if (resolved !== undefined) assert.match(resolved, /^https:\/\/registry\.npmjs\.org\//, place)
    }
  })

  it('holds no other install scripts than those that are known not to be needed', () => {
    const scripts = [...lock]
      .filter(([, {hasInstallScript}]) => hasInstallScript === true)
      .map(([place]) => nameOf(place))
    assert.deepEqual([...new Set(scripts)].sort(), Object.keys(INSTALL_SCRIPTS).sort())
  })

  it('has only licences at run time that let it be passed on', () => {
    const others = [...lock]
      .filter(([, {dev, license}]) => dev !== true && !LICENCES.has(license ?? ''))
      .map(([place, {license}]) => `${place}: ${license ?? 'none'}`)
    assert.deepEqual(others, [])
  })
})
