import {fromJSON} from '@grpc/proto-loader'
import {field, labels, many, message, READING, service, timestamp, type TimestampMessage} from './notation.js'

/*
 * The services over containerd's images and their content. Source: containerd api/services/{content,images,leases}/v1 and
 * api/types/descriptor.proto. The numbers are the same from 1.6 to 2.3.
 */

type Parts = NonNullable<Parameters<typeof fromJSON>[0]['nested']>
const nested = (parts: Parts) => ({nested: parts})
const empty = 'google.protobuf.Empty'

const content = {
  Info: message({digest: field(1), size: field(2, 'int64'), labels: labels(5)}),
  InfoRequest: message({digest: field(1)}),
  InfoResponse: message({info: field(1, 'Info')}),
  UpdateRequest: message({info: field(1, 'Info'), updateMask: field(2, 'google.protobuf.FieldMask')}),
  UpdateResponse: message({info: field(1, 'Info')}),
  ReadContentRequest: message({digest: field(1), offset: field(2, 'int64'), size: field(3, 'int64')}),
  ReadContentResponse: message({offset: field(1, 'int64'), data: field(2, 'bytes')}),
  WriteAction: {values: {STAT: 0, WRITE: 1, COMMIT: 2}},
  WriteContentRequest: message({
    action: field(1, 'WriteAction'),
    ref: field(2),
    total: field(3, 'int64'),
    expected: field(4),
    offset: field(5, 'int64'),
    data: field(6, 'bytes'),
    labels: labels(7),
  }),
  WriteContentResponse: message({
    action: field(1, 'WriteAction'),
    offset: field(4, 'int64'),
    total: field(5, 'int64'),
    digest: field(6),
  }),
  AbortRequest: message({ref: field(1)}),
  Content: service({
    Info: ['InfoRequest', 'InfoResponse'],
    Update: ['UpdateRequest', 'UpdateResponse'],
    Read: ['ReadContentRequest', {stream: 'ReadContentResponse'}],
    Write: [{stream: 'WriteContentRequest'}, {stream: 'WriteContentResponse'}],
    Abort: ['AbortRequest', empty],
  }),
}

const images = {
  Image: message({
    name: field(1),
    labels: labels(2),
    target: field(3, 'containerd.types.Descriptor'),
    createdAt: field(7, 'google.protobuf.Timestamp'),
  }),
  GetImageRequest: message({name: field(1)}),
  GetImageResponse: message({image: field(1, 'Image')}),
  ListImagesRequest: message({filters: many(1, 'string')}),
  ListImagesResponse: message({images: many(1, 'Image')}),
  CreateImageRequest: message({image: field(1, 'Image')}),
  CreateImageResponse: message({image: field(1, 'Image')}),
  UpdateImageRequest: message({image: field(1, 'Image'), updateMask: field(2, 'google.protobuf.FieldMask')}),
  UpdateImageResponse: message({image: field(1, 'Image')}),
  DeleteImageRequest: message({name: field(1), sync: field(2, 'bool')}),
  Images: service({
    Get: ['GetImageRequest', 'GetImageResponse'],
    List: ['ListImagesRequest', 'ListImagesResponse'],
    Create: ['CreateImageRequest', 'CreateImageResponse'],
    Update: ['UpdateImageRequest', 'UpdateImageResponse'],
    Delete: ['DeleteImageRequest', empty],
  }),
}

const leases = {
  Lease: message({id: field(1), labels: labels(3)}),
  Resource: message({id: field(1), type: field(2)}),
  CreateRequest: message({id: field(1), labels: labels(3)}),
  CreateResponse: message({lease: field(1, 'Lease')}),
  DeleteRequest: message({id: field(1), sync: field(2, 'bool')}),
  AddResourceRequest: message({id: field(1), resource: field(2, 'Resource')}),
  Leases: service({
    Create: ['CreateRequest', 'CreateResponse'],
    Delete: ['DeleteRequest', empty],
    AddResource: ['AddResourceRequest', empty],
  }),
}

const namespaces = {
  DeleteNamespaceRequest: message({name: field(1)}),
  Namespaces: service({Delete: ['DeleteNamespaceRequest', empty]}),
}

export const STORE_DEFINITIONS = fromJSON(
  nested({
    google: nested({
      protobuf: nested({Timestamp: timestamp, Empty: message({}), FieldMask: message({paths: many(1, 'string')})}),
    }),
    containerd: nested({
      types: nested({
        Descriptor: message({
          mediaType: field(1),
          digest: field(2),
          size: field(3, 'int64'),
          annotations: labels(5),
        }),
      }),
      services: nested({
        content: nested({v1: nested(content)}),
        images: nested({v1: nested(images)}),
        leases: nested({v1: nested(leases)}),
        namespaces: nested({v1: nested(namespaces)}),
      }),
    }),
  }),
  READING,
)

export type LabelsMessage = Readonly<Record<string, string>>

/** A blob of one namespace. */
export interface InfoMessage {
  readonly digest: string
  readonly size: number
  readonly labels: LabelsMessage
}

export interface DescriptorMessage {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly annotations?: LabelsMessage
}

/** An image record: a name and what it leads to, which need not be there. */
export interface ImageMessage {
  readonly name: string
  readonly labels: LabelsMessage
  readonly target: DescriptorMessage | null
  readonly createdAt: TimestampMessage | null
}

/** One message of a blob on its way; the first has `ref`. */
export interface WriteMessage {
  readonly action: 'STAT' | 'WRITE' | 'COMMIT'
  readonly ref?: string
  /** Bytes; 0 = not known. */
  readonly total?: number
  /** Digest; absent = not known. */
  readonly expected?: string
  readonly offset?: number
  readonly data?: Uint8Array
  readonly labels?: LabelsMessage
}

export interface WriteAnswer {
  /** How many bytes of it are there. */
  readonly offset: number
  readonly digest: string
}

/** Which fields of the message count. */
interface Masked {
  readonly updateMask: {readonly paths: readonly string[]}
}

type ImageDraft = Pick<ImageMessage, 'name' | 'target'>

/** What each call takes and gives. A message in an answer that nobody has set is null. */
export interface StoreCalls {
  'containerd.services.content.v1.Content/Info': [{readonly digest: string}, {readonly info: InfoMessage | null}]
  'containerd.services.content.v1.Content/Update': [
    {readonly info: {readonly digest: string; readonly labels: LabelsMessage}} & Masked,
    object,
  ]
  'containerd.services.content.v1.Content/Abort': [{readonly ref: string}, object]
  'containerd.services.images.v1.Images/Get': [{readonly name: string}, {readonly image: ImageMessage | null}]
  'containerd.services.images.v1.Images/List': [
    {readonly filters?: readonly string[]},
    {readonly images: readonly ImageMessage[]},
  ]
  'containerd.services.images.v1.Images/Create': [{readonly image: ImageDraft}, object]
  'containerd.services.images.v1.Images/Update': [{readonly image: ImageDraft} & Masked, object]
  'containerd.services.images.v1.Images/Delete': [{readonly name: string; readonly sync: boolean}, object]
  'containerd.services.leases.v1.Leases/Create': [{readonly id: string; readonly labels: LabelsMessage}, object]
  'containerd.services.leases.v1.Leases/Delete': [{readonly id: string; readonly sync: boolean}, object]
  'containerd.services.leases.v1.Leases/AddResource': [
    {readonly id: string; readonly resource: {readonly id: string; readonly type: string}},
    object,
  ]
  'containerd.services.namespaces.v1.Namespaces/Delete': [{readonly name: string}, object]
}

/** Calls that give or take any number of messages. */
export interface StoreStreams {
  'containerd.services.content.v1.Content/Read': [
    {readonly digest: string; readonly offset: number; readonly size: number},
    {readonly data: Uint8Array},
  ]
  'containerd.services.content.v1.Content/Write': [WriteMessage, WriteAnswer]
}
