import {compileSchema, errorsText, type Validator} from '../../codecs/json/validator.js'
import {InputError} from '../../model/errors.js'

/** One system of the Host Compute Service; statistics and processes come when asked for. Source: hcsshim hcs/schema1. */
export interface ComputeSystem {
  readonly Id: string
  readonly SystemType?: string
  readonly Name?: string
  readonly Owner?: string
  readonly RuntimeOsType?: string
  readonly State?: string
  readonly Stopped?: boolean
}

export interface ComputeSystemProperties {
  readonly Statistics?: {
    readonly ContainerStartTime?: string
    readonly Memory?: {readonly MemoryUsageCommitBytes?: number}
    /** 100 ns. */
    readonly Processor?: {readonly TotalRuntime100ns?: number}
  }
  readonly ProcessList?: readonly {readonly ProcessId?: number; readonly CreateTimestamp?: string}[]
}

const text = {type: 'string'}
const whole = {type: 'number'}
const someObject = (properties: object, required: readonly string[] = []) => ({type: 'object', required, properties})

/** The list as a whole; each element is looked at by itself, so that one odd system hides no other. */
const isSystemList = compileSchema<readonly {readonly Id: string}[]>({
  type: 'array',
  maxItems: 1_000_000,
  items: someObject({Id: text}, ['Id']),
})

const isSystem = compileSchema<ComputeSystem>(
  someObject(
    {
      Id: text,
      SystemType: text,
      Name: text,
      Owner: text,
      RuntimeOsType: text,
      State: text,
      Stopped: {type: 'boolean'},
    },
    ['Id'],
  ),
)

const isProperties = compileSchema<ComputeSystemProperties>(
  someObject({
    Statistics: someObject({
      ContainerStartTime: text,
      Memory: someObject({MemoryUsageCommitBytes: whole}),
      Processor: someObject({TotalRuntime100ns: whole}),
    }),
    ProcessList: {type: 'array', items: someObject({ProcessId: whole, CreateTimestamp: text})},
  }),
)

/**
 * Answer of an enumeration. Throws `MANIFEST_INVALID`. Nothing at all means that there is no system. Of a system that is
 * told of in some odd way only the id is taken, and `onOdd` told.
 */
export function parseSystems(
  document: string | undefined,
  onOdd: (id: string, message: string) => void = () => undefined,
): readonly ComputeSystem[] {
  if (document === undefined || document.trim() === '') return []
  return parse(document, isSystemList).map((listed) => {
    if (isSystem(listed)) return listed
    onOdd(listed.Id, invalid(errorsText(isSystem, 'answer')).message)
    return {Id: listed.Id}
  })
}

/** Answer about one system. Throws `MANIFEST_INVALID`. */
export function parseProperties(document: string | undefined): ComputeSystemProperties {
  return document === undefined || document.trim() === '' ? {} : parse(document, isProperties)
}

function parse<T>(document: string, check: Validator<T>): T {
  let value: unknown
  try {
    value = JSON.parse(document)
  } catch (cause) {
    throw invalid(`It begins with '${document.slice(0, 80)}'.`, cause)
  }
  if (check(value)) return value
  throw invalid(errorsText(check, 'answer'))
}

function invalid(why: string, cause?: unknown): InputError {
  return new InputError('MANIFEST_INVALID', {
    what: 'The answer of the Host Compute Service does not follow its API.',
    why,
    cause,
  })
}
