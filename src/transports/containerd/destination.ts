import type {Reference} from '../../model/reference.js'
import type {DestinationOptions, ImageDestination} from '../../model/transport.js'
export function createDestination(_r: Reference, _o: DestinationOptions): Promise<ImageDestination> {
  throw new Error('soon')
}
