import {compileSchema} from '../../codecs/json/validator.js'

/** Element of `GET /containers/json`. */
export interface ContainerSummary {
  readonly Id: string
  readonly Names?: readonly string[] | null
  readonly Image?: string | null
  readonly State?: string | null
}

/** Answer of `GET /containers/{id}/json`, as far as it is used. */
export interface ContainerDetails {
  readonly Id: string
  readonly Name?: string
  readonly Platform?: string
  readonly State: {
    readonly Status?: string
    readonly Running?: boolean
    readonly Pid?: number
    readonly StartedAt?: string
  }
  readonly Config?: {readonly Image?: string; readonly StopSignal?: string} | null
  readonly HostConfig?: {readonly Isolation?: string} | null
}

/** Answer of `GET /containers/{id}/stats?stream=false`, as far as it is used. */
export interface ContainerStatistics {
  readonly cpu_stats?: {readonly cpu_usage?: {readonly total_usage?: number}}
  readonly memory_stats?: {readonly usage?: number; readonly commitbytes?: number}
}

const text = {type: 'string'}
const whole = {type: 'number'}
const someObject = (properties: object, required: readonly string[] = []) => ({type: 'object', required, properties})
const nullable = (schema: object) => ({anyOf: [{type: 'null'}, schema]})

/** The list as a whole; each element is looked at by itself, so that one odd container hides no other. */
export const isContainerList = compileSchema<readonly {readonly Id: string}[]>({
  type: 'array',
  maxItems: 1_000_000,
  items: someObject({Id: text}, ['Id']),
})

export const isContainerSummary = compileSchema<ContainerSummary>(
  someObject({Id: text, Names: nullable({type: 'array', items: text}), Image: nullable(text), State: nullable(text)}, [
    'Id',
  ]),
)

export const isContainerDetails = compileSchema<ContainerDetails>(
  someObject(
    {
      Id: text,
      Name: text,
      Platform: text,
      State: someObject({Status: text, Running: {type: 'boolean'}, Pid: whole, StartedAt: text}),
      Config: nullable(someObject({Image: text, StopSignal: text})),
      HostConfig: nullable(someObject({Isolation: text})),
    },
    ['Id', 'State'],
  ),
)

export const isContainerStatistics = compileSchema<ContainerStatistics>(
  someObject({
    cpu_stats: someObject({cpu_usage: someObject({total_usage: whole})}),
    memory_stats: someObject({usage: whole, commitbytes: whole}),
  }),
)
