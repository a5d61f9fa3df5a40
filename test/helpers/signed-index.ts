import assert from 'node:assert/strict'
import {partsOf, sha256, tarOf} from './archives.js'
import {descriptorOf, OCI} from './layouts.js'
import {gzipSync} from 'node:zlib'

type Json = Record<string, unknown>

export interface MadeDocument {
  readonly digest: string
  readonly type: string
  readonly bytes: Buffer
  readonly tag?: string
}

/** An image of two platforms with everything that can hang on it, as registries get it from buildx, cosign, notation and ORAS. */
export interface SignedIndex {
  readonly blobs: ReadonlyMap<string, Buffer>
  /** In an order in which a registry takes them. */
  readonly documents: readonly MadeDocument[]
  readonly index: MadeDocument
  readonly windows: MadeDocument
  readonly linux: MadeDocument
  readonly attestation: MadeDocument
  /** Cosign's, of the index. */
  readonly signature: MadeDocument
  /** Of the index, and a signature of it in turn. */
  readonly sbom: MadeDocument
  readonly sbomSignature: MadeDocument
  /** Notation's, of the Windows image. */
  readonly notation: MadeDocument
}

export const SPDX = 'application/spdx+json'
export const NOTATION = 'application/vnd.cncf.notary.signature'
const EMPTY = '{}'

export function digestTag(digest: string, suffix = ''): string {
  return `${digest.replace(':', '-')}${suffix}`
}

export async function makeSignedIndex(
  tag = '1',
  options: {readonly windowsVersions?: readonly string[]} = {},
): Promise<SignedIndex> {
  const blobs = new Map<string, Buffer>()
  const documents: MadeDocument[] = []
  const blob = (type: string, bytes: Buffer | string, more: object = {}): Json => {
    blobs.set(`sha256:${sha256(bytes)}`, Buffer.from(bytes))
    return descriptorOf(type, bytes, more)
  }
  const document = (type: string, body: Json, own?: string): MadeDocument => {
    // Spaces, so that nobody gets the bytes by writing the document anew.
    const bytes = Buffer.from(JSON.stringify({schemaVersion: 2, mediaType: type, ...body}, undefined, 3))
    const made = {digest: `sha256:${sha256(bytes)}`, type, bytes, ...(own === undefined ? {} : {tag: own})}
    documents.push(made)
    return made
  }
  const stated = ({digest, type, bytes}: MadeDocument, more: object = {}) => ({
    mediaType: type,
    digest,
    size: bytes.length,
    ...more,
  })
  const image = async (os: string, version: string | undefined) => {
    const tar = await tarOf(
      os === 'windows'
        ? [
            ['Files/', ''],
            ['Files/app.txt', `for ${version ?? ''}`],
          ]
        : [['bin/app', 'linux']],
    )
    const parts = partsOf([tar], {os, ...(version === undefined ? {'os.version': undefined} : {'os.version': version})})
    const config = blob(OCI.config, parts.config)
    const layers = [blob(`${OCI.layer}+gzip`, gzipSync(tar))]
    return document(OCI.manifest, {config, layers})
  }
  const [version = '10.0.20348.2113', ...others] = options.windowsVersions ?? []
  const windows = await image('windows', version)
  const more = await Promise.all(others.map(async (each) => ({made: await image('windows', each), version: each})))
  const linux = await image('linux', undefined)
  const empty = blob('application/vnd.oci.empty.v1+json', EMPTY)
  const attestation = document(OCI.manifest, {
    config: blob(
      OCI.config,
      JSON.stringify({architecture: 'unknown', os: 'unknown', rootfs: {type: 'layers', diff_ids: []}}),
    ),
    layers: [
      blob(
        'application/vnd.in-toto+json',
        JSON.stringify({_type: 'https://in-toto.io/Statement/v1', of: linux.digest}),
        {
          annotations: {'in-toto.io/predicate-type': 'https://spdx.dev/Document'},
        },
      ),
    ],
  })
  const platform = (os: string, osVersion?: string) => ({
    platform: {architecture: 'amd64', os, ...(osVersion === undefined ? {} : {'os.version': osVersion})},
  })
  const index = document(
    OCI.index,
    {
      manifests: [
        stated(windows, platform('windows', version)),
        ...more.map(({made, version: each}) => stated(made, platform('windows', each))),
        stated(linux, platform('linux')),
        stated(attestation, {
          platform: {architecture: 'unknown', os: 'unknown'},
          annotations: {
            'vnd.docker.reference.type': 'attestation-manifest',
            'vnd.docker.reference.digest': linux.digest,
          },
        }),
      ],
      annotations: {note: 'kept as it is'},
    },
    tag,
  )
  const payload = JSON.stringify({
    critical: {identity: {'docker-reference': 'reg.example/app'}, image: {'docker-manifest-digest': index.digest}},
  })
  const signature = document(
    OCI.manifest,
    {
      config: blob(
        OCI.config,
        JSON.stringify({architecture: '', os: '', rootfs: {type: 'layers', diff_ids: [`sha256:${sha256(payload)}`]}}),
      ),
      layers: [
        blob('application/vnd.dev.cosign.simplesigning.v1+json', payload, {
          annotations: {'dev.cosignproject.cosign/signature': 'MEUCIQ=='},
        }),
      ],
    },
    digestTag(index.digest, '.sig'),
  )
  const subject = (of: MadeDocument) => ({mediaType: of.type, digest: of.digest, size: of.bytes.length})
  const sbom = document(OCI.manifest, {
    artifactType: SPDX,
    config: empty,
    layers: [blob(SPDX, JSON.stringify({spdxVersion: 'SPDX-2.3', name: tag}))],
    subject: subject(index),
    annotations: {'org.opencontainers.image.created': '2026-11-26T09:00:00Z'},
  })
  const jws = (of: MadeDocument) => blob('application/jose+json', JSON.stringify({payload: of.digest, tag}))
  const notation = document(OCI.manifest, {
    artifactType: NOTATION,
    config: empty,
    layers: [jws(windows)],
    subject: subject(windows),
    annotations: {'io.cncf.notary.x509chain.thumbprint#S256': '["9f"]'},
  })
  // The form before OCI 1.1: its type is that of its configuration, and the subject states no size.
  const sbomSignature = document(OCI.manifest, {
    config: blob(NOTATION, '{ }'),
    layers: [jws(sbom)],
    subject: {mediaType: sbom.type, digest: sbom.digest},
  })
  return {blobs, documents, index, windows, linux, attestation, signature, sbom, sbomSignature, notation}
}

/** Pushes everything with plain requests; lists of referrers are kept under tags where the registry has none. */
export async function pushSigned(host: string, repository: string, signed: SignedIndex): Promise<void> {
  const base = `http://${host}/v2/${repository}`
  for (const [digest, bytes] of signed.blobs) {
    const begun = await fetch(`${base}/blobs/uploads/`, {method: 'POST'})
    const location = new URL(begun.headers.get('location') ?? '', base)
    location.searchParams.set('digest', digest)
    const put = await fetch(location, {
      method: 'PUT',
      body: bytes,
      headers: {'content-type': 'application/octet-stream'},
    })
    assert.equal(put.status, 201)
  }
  const lists = new Map<string, object[]>()
  const put = async (name: string, type: string, bytes: Buffer) => {
    const answer = await fetch(`${base}/manifests/${name}`, {
      method: 'PUT',
      body: bytes,
      headers: {'content-type': type},
    })
    assert.equal(answer.status, 201, await answer.text())
    return answer.headers.get('oci-subject')
  }
  for (const {digest, type, bytes, tag} of signed.documents) {
    const isListed = await put(tag ?? digest, type, bytes)
    const {subject, artifactType} = JSON.parse(bytes.toString()) as {subject?: {digest: string}; artifactType?: string}
    if (subject === undefined || isListed !== null) continue
    const entry = {mediaType: type, digest, size: bytes.length, artifactType: artifactType ?? NOTATION}
    lists.set(subject.digest, [...(lists.get(subject.digest) ?? []), entry])
  }
  for (const [of, manifests] of lists)
    await put(
      digestTag(of),
      OCI.index,
      Buffer.from(JSON.stringify({schemaVersion: 2, mediaType: OCI.index, manifests})),
    )
}

/** A manifest as the registry has it; undefined where there is none. */
export async function readManifest(host: string, repository: string, name: string): Promise<Buffer | undefined> {
  const accept = [OCI.index, OCI.manifest].join(', ')
  const answer = await fetch(`http://${host}/v2/${repository}/manifests/${name}`, {headers: {accept}})
  return answer.status === 200 ? Buffer.from(await answer.arrayBuffer()) : undefined
}

/** Digests that the registry tells of for a subject: by its own list, else under the tag that stands for it. */
export async function readReferrers(host: string, repository: string, subject: string): Promise<readonly string[]> {
  const found: string[] = []
  let at: string | undefined = `/v2/${repository}/referrers/${subject}`
  while (at !== undefined) {
    const answer: Response = await fetch(`http://${host}${at}`)
    if (answer.status !== 200) {
      const list = await readManifest(host, repository, digestTag(subject))
      const {manifests} = JSON.parse(list?.toString() ?? '{"manifests": []}') as {manifests: {digest: string}[]}
      return manifests.map(({digest}) => digest).sort()
    }
    const {manifests} = (await answer.json()) as {manifests: {digest: string}[]}
    found.push(...manifests.map(({digest}) => digest))
    at = /<([^>]*)>/.exec(answer.headers.get('link') ?? '')?.[1]
  }
  return found.sort()
}

/** That a repository has all of it, byte for byte, and that it is found by tag and by the list of referrers. */
export async function assertAllThere(host: string, repository: string, signed: SignedIndex, tag = '1'): Promise<void> {
  assert.deepEqual(await readManifest(host, repository, tag), signed.index.bytes)
  for (const {digest, bytes} of signed.documents) assert.deepEqual(await readManifest(host, repository, digest), bytes)
  for (const [digest, bytes] of signed.blobs) {
    const answer = await fetch(`http://${host}/v2/${repository}/blobs/${digest}`)
    assert.deepEqual([answer.status, Buffer.from(await answer.arrayBuffer())], [200, bytes])
  }
  const {index, signature, sbom, sbomSignature, windows, notation} = signed
  assert.deepEqual(await readManifest(host, repository, digestTag(index.digest, '.sig')), signature.bytes)
  assert.deepEqual(await readReferrers(host, repository, index.digest), [sbom.digest])
  assert.deepEqual(await readReferrers(host, repository, windows.digest), [notation.digest])
  assert.deepEqual(await readReferrers(host, repository, sbom.digest), [sbomSignature.digest])
}
