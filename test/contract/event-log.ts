import type { EventLogUnderTest } from '../support/event-log-under-test.ts'
import { groupReaderContract } from './group-reader.ts'
import { loggedDocumentsContract } from './logged-documents.ts'
import { storedLogContract } from './stored-log.ts'

/** What every implementation of the ports in `ports/event-log.ts` must do. */
export function eventLogContract(adapter: string, open: () => Promise<EventLogUnderTest>): void {
  groupReaderContract(adapter, open)
  storedLogContract(adapter, open)
  loggedDocumentsContract(adapter, open)
}
