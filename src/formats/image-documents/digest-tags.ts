import {digestAlgorithm, digestHex, findDigest, type Digest} from '../../model/digest.js'

/** What cosign puts behind a digest tag: signatures, attestations, bills of materials. Source: cosign specs/SIGNATURE_SPEC.md. */
export const COSIGN_SUFFIXES = ['.sig', '.att', '.sbom'] as const

/**
 * The tag under which an index lists what refers to a digest, where a registry has no list of its own. Source:
 * distribution-spec, "Unavailable Referrers API".
 */
export function referrersTag(digest: Digest): string {
  return `${digestAlgorithm(digest).slice(0, 32)}-${digestHex(digest).slice(0, 64)}`
}

/** The tags under which cosign keeps what refers to a digest. */
export function cosignTags(digest: Digest): readonly string[] {
  return COSIGN_SUFFIXES.map((suffix) => `${referrersTag(digest)}${suffix}`)
}

const DIGEST_TAG = /^(sha256)-([0-9a-f]{64})(\.sig|\.att|\.sbom)?$/

/** A tag that is made from a digest: it names what refers to that, and no image of its own. */
export function findDigestTag(
  tag: string,
): {readonly subject: Digest; readonly suffix: string | undefined} | undefined {
  const [, algorithm = '', hex = '', suffix] = DIGEST_TAG.exec(tag) ?? []
  const subject = findDigest(`${algorithm}:${hex}`)
  return subject === undefined ? undefined : {subject, suffix}
}
