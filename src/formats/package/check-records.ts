import {isLayerType, statedCompression} from '../image-documents/media-types.js'
import {DOCKER_SCHEMA, type DockerJson} from './schema.js'

interface Schema {
  readonly properties?: Readonly<Record<string, unknown>>
  readonly items?: unknown
}

/**
 * What is wrong with the records that a package keeps for the way back, beyond what its schema refuses: a key that is not
 * known hides what it stands for, and so does a media type that no layer has. Nothing else would tell a flipped bit there.
 */
export function recordFaults(docker: DockerJson): string[] {
  const unknown = unknownKeys(docker, DOCKER_SCHEMA, '')
  const types = (docker.Layers ?? []).flatMap(({Pins = []}) =>
    Pins.filter(({MediaType, Compression}) => !isTypeOf(MediaType, Compression)).map(
      ({MediaType, Compression}) => `'${MediaType}' is no media type of a layer with ${Compression}.`,
    ),
  )
  return [
    ...unknown.map(
      (key) => `'docker/1' has the unknown key '${key}'. The file is damaged, or a later version wrote it.`,
    ),
    ...types,
  ]
}

function isTypeOf(mediaType: string, compression: string): boolean {
  // Docker's plain type may be compressed all the same.
  return isLayerType(mediaType) && (statedCompression(mediaType) ?? compression) === compression
}

function unknownKeys(value: unknown, schema: Schema, place: string): string[] {
  if (Array.isArray(value))
    return value.flatMap((item, index) => unknownKeys(item, schema.items as Schema, `${place}/${index}`))
  const {properties} = schema
  if (typeof value !== 'object' || value === null || properties === undefined) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const known = Object.hasOwn(properties, key) ? (properties[key] as Schema) : undefined
    return known === undefined ? [`${place}/${key}`] : unknownKeys(inner, known, `${place}/${key}`)
  })
}
