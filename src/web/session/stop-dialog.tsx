import { useState, type ReactNode } from 'react';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { stopSentences } from '../../view/stop-question.ts';
import { Modal } from '../parts/modal.tsx';
import type { PageStore } from '../store/page-store.ts';

/** Whether the program of a session is to end. */
export function StopDialog({ store, state, onClose }: { store: PageStore; state: SessionState; onClose: () => void }): ReactNode {
  const [isSending, setIsSending] = useState(false);
  const confirm = async (): Promise<void> => {
    setIsSending(true);
    await store.desk?.send({ type: 'STOP', session_id: state.session_id }, 'STOP');
    onClose();
  };
  return (
    <Modal title="End the program?" onClose={onClose}>
      {stopSentences(state).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <footer>
        <button type="button" data-first onClick={onClose}>
          Leave it running
        </button>
        <button type="button" className="danger" disabled={isSending} onClick={() => void confirm()}>
          {isSending ? 'Ending ...' : 'End the program'}
        </button>
      </footer>
    </Modal>
  );
}
