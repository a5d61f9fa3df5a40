/* How the parts of containerd's interface are spelt in tables: field names with their numbers on the wire. */

interface Field {
  readonly id: number
  readonly type: string
  readonly keyType?: string
  readonly rule?: string
}

export const field = (id: number, type = 'string') => ({id, type})
export const many = (id: number, type: string) => ({id, type, rule: 'repeated'})
export const labels = (id: number) => ({id, type: 'string', keyType: 'string'})
export const message = (fields: Readonly<Record<string, Field>>) => ({fields: {...fields}})

/** The type of a request, or of an answer; `stream` = any number of them. */
type Side = string | {readonly stream: string}

export const service = (methods: Readonly<Record<string, readonly [request: Side, response: Side]>>) => ({
  methods: Object.fromEntries(
    Object.entries(methods).map(([name, [request, response]]) => [
      name,
      {
        requestType: typeof request === 'string' ? request : request.stream,
        responseType: typeof response === 'string' ? response : response.stream,
        requestStream: typeof request !== 'string',
        responseStream: typeof response !== 'string',
        comment: '',
      },
    ]),
  ),
})

/** Types that every service uses. */
export const any = message({typeUrl: field(1), value: field(2, 'bytes')})
export const timestamp = message({seconds: field(1, 'int64'), nanos: field(2, 'int32')})

/** How messages look in this program: every field present, long numbers as numbers. */
export const READING = {longs: Number, enums: String, defaults: true, bytes: Buffer} as const

/** A moment on the wire. */
export interface TimestampMessage {
  readonly seconds: number
  readonly nanos: number
}
