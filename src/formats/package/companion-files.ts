import {existsSync, mkdirSync, writeFileSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import path from 'node:path'
import {verified} from '../../codecs/bytes/verified.js'
import type {Companions, Referrer, StoredContent, StoredDocument} from '../../model/content-graph.js'
import {findDigest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {MAX_DOCUMENT_BYTES} from '../../codecs/json/json-document.js'
import {describeReferrer} from '../image-documents/referrer-list.js'
import {streamFile} from '../transport-layout/layout-files.js'
import type {StoredPackage} from './repository.js'
import type {CompanionJson, CompanionsJson, DockerJson} from './schema.js'

/** Where a companion lies in its package: by its digest, beside the image's own documents. */
export function companionFile({Digest}: Pick<CompanionJson, 'Digest'>): string {
  return `docker/${Digest.replace(':', '-')}`
}

/** What the metadata say of companions; undefined where there are none. */
export function companionsJson(companions: Companions | undefined): CompanionsJson | undefined {
  if (companions === undefined) return undefined
  const {index, content, referrers} = companions
  if (content.documents.length === 0) return undefined
  return {
    ...(index === undefined ? {} : {Index: index.digest}),
    Documents: content.documents.map(({mediaType, digest, bytes}) => ({
      MediaType: mediaType,
      Digest: digest,
      Size: bytes.byteLength,
    })),
    Blobs: content.blobs.map(({descriptor: {mediaType, digest, size}}) => ({
      MediaType: mediaType,
      Digest: digest,
      Size: size,
    })),
    Referrers: referrers.map(({subject, descriptor, artifactType, tag}) => ({
      Subject: subject,
      Digest: descriptor.digest,
      ArtifactType: artifactType,
      ...(tag === undefined ? {} : {Tag: tag}),
    })),
  }
}

/** Writes companions into the folder of a package, each under its digest; digests are checked on the way. */
export async function writeCompanions(
  folder: string,
  companions: Companions | undefined,
  options: WorkOptions,
): Promise<void> {
  if (companions === undefined) return
  const {documents, blobs} = companions.content
  for (const {digest, bytes} of documents) {
    const file = path.join(folder, companionFile({Digest: digest}))
    mkdirSync(path.dirname(file), {recursive: true})
    if (!existsSync(file)) writeFileSync(file, bytes, {flag: 'wx', flush: true})
  }
  for (const blob of blobs)
    await writeBlob(path.join(folder, companionFile({Digest: blob.descriptor.digest})), blob, options)
}

async function writeBlob(file: string, blob: StoredContent, options: WorkOptions): Promise<void> {
  if (!existsSync(file)) await writeFile(file, blob.open(options), {flag: 'wx'})
}

/** Those that the draft would keep and the package as it is described does not. */
export function lacksCompanions(wanted: Companions | undefined, docker: DockerJson | undefined): boolean {
  const json = companionsJson(wanted)
  if (json === undefined) return false
  const {Documents = [], Blobs = []} = docker?.Companions ?? {}
  const has = (kept: readonly CompanionJson[], {Digest}: CompanionJson) => kept.some((each) => each.Digest === Digest)
  return !json.Documents.every((each) => has(Documents, each)) || !json.Blobs.every((each) => has(Blobs, each))
}

/** Everything of both; where both were in an index, the first one's stays the one that is given back. */
export function mergedCompanions(
  own: CompanionsJson | undefined,
  theirs: CompanionsJson | undefined,
): CompanionsJson | undefined {
  if (own === undefined || theirs === undefined) return own ?? theirs
  const union = <T extends {readonly Digest: string}>(a: readonly T[], b: readonly T[]) => [
    ...a,
    ...b.filter(({Digest}) => a.every((each) => each.Digest !== Digest)),
  ]
  const index = own.Index ?? theirs.Index
  return {
    ...(index === undefined ? {} : {Index: index}),
    Documents: union(theirs.Documents, own.Documents),
    Blobs: union(theirs.Blobs, own.Blobs),
    Referrers: union(theirs.Referrers, own.Referrers),
  }
}

/** Files of the companions that metadata name. */
export function companionFiles({Companions: json}: DockerJson): readonly string[] {
  return [...(json?.Documents ?? []), ...(json?.Blobs ?? [])].map(companionFile)
}

/** The companions that a package keeps; what is missing or damaged of their documents is told as lacking. */
export async function companionsOf(stored: StoredPackage, options: WorkOptions): Promise<Companions | undefined> {
  const json = stored.docker?.Companions
  if (json === undefined) return undefined
  const documents: StoredDocument[] = []
  const lacking: {digest: string; why: string}[] = []
  for (const each of json.Documents) {
    const digest = findDigest(each.Digest)
    if (digest === undefined || each.Size > MAX_DOCUMENT_BYTES) continue
    try {
      const parts: Uint8Array[] = []
      for await (const chunk of companionBytes(stored, each)) parts.push(Buffer.from(chunk))
      documents.push({mediaType: each.MediaType, digest, bytes: Buffer.concat(parts)})
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      lacking.push({digest, why: error.message})
    }
    options.signal?.throwIfAborted()
  }
  const blobs = json.Blobs.flatMap((each): StoredContent[] => {
    const digest = findDigest(each.Digest)
    if (digest === undefined) return []
    const file = companionFile(each)
    if (stored.files.find(file, `${stored.entryName}/${file}`) === undefined) {
      lacking.push({digest, why: `The package's file '${file}' is missing.`})
      return []
    }
    const descriptor = {mediaType: each.MediaType, digest, size: each.Size}
    return [{descriptor, open: () => companionBytes(stored, each)}]
  })
  const referrers = json.Referrers.flatMap((each): Referrer[] => {
    const [subject, document] = [findDigest(each.Subject), documents.find(({digest}) => digest === each.Digest)]
    if (subject === undefined || document === undefined) return []
    const {descriptor, artifactType} = describeReferrer(document)
    return [{subject, descriptor, artifactType, ...(each.Tag === undefined ? {} : {tag: each.Tag})}]
  })
  const index = documents.find(({digest}) => digest === json.Index)
  return {...(index === undefined ? {} : {index}), content: {documents, blobs, absent: []}, referrers, lacking}
}

/** A companion's bytes; `NOT_FOUND`, and digest and size are checked at the end. */
export async function* companionBytes(stored: StoredPackage, json: CompanionJson): AsyncGenerator<Uint8Array> {
  const file = companionFile(json)
  const place = `${stored.entryName}/${file}`
  if (stored.files.find(file, place) === undefined) {
    throw new InputError('CONFIG_MISSING', {
      what: `The package's file '${file}' is missing.`,
      why: 'The index that the image was in, or something that refers to the image, needs it.',
      suggestions: ['Restore it from a copy.'],
      at: {path: place},
    })
  }
  const digest = findDigest(json.Digest)
  yield* verified(streamFile(stored.files, file, place), {title: place, digest, size: json.Size})
}
