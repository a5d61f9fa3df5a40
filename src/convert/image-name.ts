import {hubAsDocker, isHostComponent} from '../formats/image-documents/image-name.js'

/** A Docker image name taken apart: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`. */
export interface ImageName {
  /** The image registry; undefined = Docker Hub. */
  readonly host?: string
  /** Without `library/`. */
  readonly path: string
  readonly tag?: string
}

/** Takes a name apart as docker does: the first component is a host if it has a dot or colon or is `localhost`. */
export function parseImageName(text: string): ImageName {
  const withoutDigest = text.split('@')[0] ?? text
  const slash = withoutDigest.indexOf('/')
  const first = withoutDigest.slice(0, Math.max(slash, 0))
  const hasHost = isHostComponent(first)
  const rest = hasHost ? withoutDigest.slice(slash + 1) : withoutDigest
  const colon = rest.lastIndexOf(':')
  const hasTag = colon > rest.lastIndexOf('/')
  const path = (hasTag ? rest.slice(0, colon) : rest).replace(/^library\/(?=[^/]+$)/, '')
  const isHub = !hasHost || hubAsDocker(first) === 'docker.io'
  return {...(isHub ? {} : {host: first}), path, ...(hasTag ? {tag: rest.slice(colon + 1)} : {})}
}
