import {fromJSON, type MessageTypeDefinition, type MethodDefinition} from '@grpc/proto-loader'
import {InternalError} from '../../model/errors.js'
import {any, field, labels, many, message, READING, service, timestamp, type TimestampMessage} from './notation.js'
import {STORE_DEFINITIONS, type StoreCalls, type StoreStreams} from './store-services.js'

/*
 * The part of containerd's API that is used, as field names and numbers. Source: containerd api/services/
 * {namespaces,containers,tasks}/v1, api/types/{metrics,task/task}.proto; containerd/cgroups stats/v1 and cgroup2/stats.
 */

type Parts = NonNullable<Parameters<typeof fromJSON>[0]['nested']>
const nested = (parts: Parts) => ({nested: parts})

const definitions = fromJSON(
  nested({
    google: nested({protobuf: nested({Any: any, Timestamp: timestamp, Empty: message({})})}),
    containerd: nested({
      types: nested({
        Metric: message({
          timestamp: field(1, 'google.protobuf.Timestamp'),
          id: field(2),
          data: field(3, 'google.protobuf.Any'),
        }),
      }),
      v1: nested({
        types: nested({
          Status: {values: {UNKNOWN: 0, CREATED: 1, RUNNING: 2, STOPPED: 3, PAUSED: 4, PAUSING: 5}},
          Process: message({
            containerId: field(1),
            id: field(2),
            pid: field(3, 'uint32'),
            status: field(4, 'Status'),
            exitStatus: field(9, 'uint32'),
            exitedAt: field(10, 'google.protobuf.Timestamp'),
          }),
        }),
      }),
      services: nested({
        namespaces: nested({
          v1: nested({
            Namespace: message({name: field(1)}),
            ListNamespacesRequest: message({filter: field(1)}),
            ListNamespacesResponse: message({namespaces: many(1, 'Namespace')}),
            Namespaces: service({List: ['ListNamespacesRequest', 'ListNamespacesResponse']}),
          }),
        }),
        containers: nested({
          v1: nested({
            Runtime: message({name: field(1), options: field(2, 'google.protobuf.Any')}),
            Container: message({
              id: field(1),
              labels: labels(2),
              image: field(3),
              runtime: field(4, 'Runtime'),
              createdAt: field(8, 'google.protobuf.Timestamp'),
            }),
            ListContainersRequest: message({filters: many(1, 'string')}),
            ListContainersResponse: message({containers: many(1, 'Container')}),
            Containers: service({List: ['ListContainersRequest', 'ListContainersResponse']}),
          }),
        }),
        tasks: nested({
          v1: nested({
            GetRequest: message({containerId: field(1), execId: field(2)}),
            GetResponse: message({process: field(1, 'containerd.v1.types.Process')}),
            ListTasksRequest: message({filter: field(1)}),
            ListTasksResponse: message({tasks: many(1, 'containerd.v1.types.Process')}),
            KillRequest: message({
              containerId: field(1),
              execId: field(2),
              signal: field(3, 'uint32'),
              all: field(4, 'bool'),
            }),
            MetricsRequest: message({filters: many(1, 'string')}),
            MetricsResponse: message({metrics: many(1, 'containerd.types.Metric')}),
            Tasks: service({
              Get: ['GetRequest', 'GetResponse'],
              List: ['ListTasksRequest', 'ListTasksResponse'],
              Kill: ['KillRequest', 'google.protobuf.Empty'],
              Metrics: ['MetricsRequest', 'MetricsResponse'],
            }),
          }),
        }),
      }),
    }),
    io: nested({
      containerd: nested({
        cgroups: nested({
          v1: nested({
            CpuUsage: message({total: field(1, 'uint64')}),
            CpuStat: message({usage: field(1, 'CpuUsage')}),
            MemoryEntry: message({usage: field(2, 'uint64')}),
            MemoryStat: message({usage: field(33, 'MemoryEntry')}),
            Metrics: message({cpu: field(3, 'CpuStat'), memory: field(4, 'MemoryStat')}),
          }),
          v2: nested({
            CpuStat: message({usageUsec: field(1, 'uint64')}),
            MemoryStat: message({usage: field(32, 'uint64')}),
            Metrics: message({cpu: field(2, 'CpuStat'), memory: field(4, 'MemoryStat')}),
          }),
        }),
      }),
    }),
  }),
  READING,
)

export interface NamespaceMessage {
  readonly name: string
}

export interface ContainerMessage {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly image: string
  readonly runtime: {readonly name: string} | null
  readonly createdAt: TimestampMessage | null
}

export interface TaskMessage {
  readonly containerId: string
  readonly id: string
  readonly pid: number
  /** `UNKNOWN`, `CREATED`, `RUNNING`, `STOPPED`, `PAUSED`, `PAUSING`. */
  readonly status: string
}

export interface MetricMessage {
  readonly id: string
  readonly data: {readonly typeUrl: string; readonly value: Uint8Array} | null
}

interface CgroupMetrics {
  readonly v1: {
    readonly cpu: {readonly usage: {readonly total: number} | null} | null
    readonly memory: {readonly usage: {readonly usage: number} | null} | null
  }
  readonly v2: {readonly cpu: {readonly usageUsec: number} | null; readonly memory: {readonly usage: number} | null}
}

/** What each call takes and gives. `defaults` above makes every field present, in the shape of the table. */
export interface ContainerdCalls extends StoreCalls {
  'containerd.services.namespaces.v1.Namespaces/List': [object, {readonly namespaces: readonly NamespaceMessage[]}]
  'containerd.services.containers.v1.Containers/List': [object, {readonly containers: readonly ContainerMessage[]}]
  'containerd.services.tasks.v1.Tasks/List': [object, {readonly tasks: readonly TaskMessage[]}]
  'containerd.services.tasks.v1.Tasks/Get': [{readonly containerId: string}, {readonly process: TaskMessage | null}]
  'containerd.services.tasks.v1.Tasks/Kill': [
    {readonly containerId: string; readonly signal: number; readonly all: boolean},
    object,
  ]
  'containerd.services.tasks.v1.Tasks/Metrics': [
    {readonly filters: readonly string[]},
    {readonly metrics: readonly MetricMessage[]},
  ]
}

export type ContainerdCall = keyof ContainerdCalls

/** How one call is put on the wire. */
export function requireMethod(call: ContainerdCall | keyof StoreStreams): MethodDefinition<object, object> {
  const [serviceName = '', methodName = ''] = call.split('/')
  const [method] = [definitions[serviceName], STORE_DEFINITIONS[serviceName]].flatMap((found) => {
    const named = found === undefined || 'format' in found ? undefined : found[methodName]
    return named === undefined ? [] : [named]
  })
  if (method === undefined) throw new InternalError('INTERNAL', {what: `containerd has no call ${call} here.`})
  return method
}

/**
 * Numbers of a task from the metrics of either cgroup version; nothing for metrics of another kind, or for malformed ones:
 * a container is listed without them.
 */
export function decodeTaskMetrics(metric: MetricMessage): {memoryBytes?: number; cpuSeconds?: number} {
  try {
    return metricsOf(metric)
  } catch (error) {
    // What the library throws for bytes that are no message.
    if (error instanceof InternalError) throw error
    return {}
  }
}

function metricsOf(metric: MetricMessage): {memoryBytes?: number; cpuSeconds?: number} {
  const {typeUrl, value} = metric.data ?? {typeUrl: '', value: new Uint8Array()}
  const name = typeUrl.slice(typeUrl.lastIndexOf('/') + 1)
  if (name === 'io.containerd.cgroups.v1.Metrics') {
    const {cpu, memory} = decodeMessage(name, value) as CgroupMetrics['v1']
    return numbers(memory?.usage?.usage, cpu?.usage?.total, 1e9)
  }
  if (name === 'io.containerd.cgroups.v2.Metrics') {
    const {cpu, memory} = decodeMessage(name, value) as CgroupMetrics['v2']
    return numbers(memory?.usage, cpu?.usageUsec, 1e6)
  }
  return {}
}

function numbers(memoryBytes: number | undefined, cpu: number | undefined, perSecond: number) {
  return {
    ...(memoryBytes === undefined ? {} : {memoryBytes}),
    ...(cpu === undefined ? {} : {cpuSeconds: cpu / perSecond}),
  }
}

function decodeMessage(name: string, bytes: Uint8Array): object {
  const definition = definitions[name]
  if (definition === undefined || !isMessage(definition)) throw new InternalError('INTERNAL', {what: `No ${name}.`})
  return definition.deserialize(Buffer.from(bytes))
}

function isMessage(definition: object): definition is MessageTypeDefinition<object, object> {
  return 'deserialize' in definition
}
