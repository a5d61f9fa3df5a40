import assert from 'node:assert/strict'
import {convert, inspect, verify, type ConvertReport} from '../../src/index.js'
import {diffIdsIn} from './windows-images.js'

export interface RoundTrip {
  readonly imageId: string
  /** The repository of packages, and the reference of the one on top. */
  readonly repository: string
  readonly top: string
  /** The archive made of the packages. */
  readonly back: string
}

/** The package on top: the one written last. */
export function topPackage(report: ConvertReport): string {
  return report.artifacts.at(-1)!.reference
}

/**
 * Converts an archive to packages, layer by layer, and back, and demands that image ID and every layer are the same and
 * that everything written is sound. Writes beside `stem`.
 */
export async function assertExactRoundTrip(archive: string, stem: string): Promise<RoundTrip> {
  const source = await inspect(`docker-archive:${archive}`)
  const [repository, back] = [`${stem}-packages`, `${stem}-back.tar`]
  const there = await convert(`docker-archive:${archive}`, `inbox:${repository}`, {layers: 'chain'})
  const top = topPackage(there)
  const returned = await convert(top, `docker-archive:${back}`)
  assert.deepEqual(there.losses, [])
  // Packages keep the forms in which image registries store layers, and no others.
  const isKept = source.layers.every(({compression = 'none'}) => ['none', 'gzip', 'zstd'].includes(compression))
  const codes = there.inexact.map(({code}) => code)
  assert.deepEqual([there.exact, codes], [isKept, isKept ? [] : ['compression-not-kept']])
  const changed = returned.inexact.map(({code}) => code).filter((code) => isKept || code !== 'manifest-changed')
  assert.deepEqual(changed, [])
  const {manifestDigest} = source
  if (isKept && manifestDigest !== undefined) assert.equal(returned.artifacts[0]!.manifestDigest, manifestDigest)
  assert.equal(returned.artifacts[0]!.imageId, source.imageId)
  assert.deepEqual(
    await diffIdsIn(back),
    source.layers.map((layer) => layer.diffId),
  )
  for (const reference of [`inbox:${repository}`, `docker-archive:${back}`])
    assert.deepEqual((await verify(reference)).faults, [], reference)
  const result = await inspect(`docker-archive:${back}`)
  assert.deepEqual([result.imageId, familiar(result.names)], [source.imageId, familiar(source.names)])
  return {imageId: source.imageId!, repository, top, back}
}

/** Without the part that `docker save` leaves out and others write. */
function familiar(names: readonly string[]): string[] {
  return names.map((name) => name.replace(/^docker\.io\/(library\/)?/, ''))
}
