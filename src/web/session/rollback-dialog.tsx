import { useEffect, useState, type ReactNode } from 'react';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { checkpointLines, previewLines, previewTarget } from '../../view/rollback-preview.ts';
import { shown } from '../../view/text/shown-text.ts';
import type { Style } from '../../view/style.ts';
import { Modal } from '../parts/modal.tsx';
import type { PageStore } from '../store/page-store.ts';

type Target = { checkpoint_id: string } | { steps: number };

interface Preview {
  /** Undefined: there is nothing to confirm. */
  target: Target | undefined;
  lines: readonly string[];
  checkpoint: readonly string[];
  /** The newest checkpoint when it was asked for: after a newer one the preview is outdated. */
  checkpointSeq: number;
}

interface RollbackDialogProps {
  store: PageStore;
  state: SessionState;
  style: Style;
  onClose: () => void;
}

/** What would be undone, as the orchestrator's dry run says; it can be confirmed only once that is on the page. */
export function RollbackDialog({ store, state, style, onClose }: RollbackDialogProps): ReactNode {
  const [preview, setPreview] = useState<Preview>();
  const [round, setRound] = useState(0);
  const [isSending, setIsSending] = useState(false);
  const { session_id } = state;
  const newest = state.checkpoints.at(-1)?.seq ?? 0;

  useEffect(() => {
    let isLeft = false;
    setPreview(undefined);
    const wanted = { steps: 1 };
    // What is saved from here on may not be in the answer.
    const checkpointSeq = (store.live ?? state).checkpoints.at(-1)?.seq ?? 0;
    void store.desk?.send({ type: 'ROLLBACK', session_id, ...wanted, dry_run: true }, 'preview').then((result) => {
      if (isLeft) return;
      const now = store.live ?? state;
      if (result?.status !== 'applied') {
        const why = result === undefined ? 'the question did not get through' : shown(result.error ?? result.message ?? result.status, 500);
        setPreview({ target: undefined, lines: [why], checkpoint: [], checkpointSeq });
        return;
      }
      store.hush();
      const target = previewTarget(result.result, wanted);
      const checkpoint = 'checkpoint_id' in target ? checkpointLines(now, target.checkpoint_id, style) : [];
      setPreview({ target, lines: previewLines(result.result), checkpoint, checkpointSeq });
    });
    return () => {
      isLeft = true;
    };
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [round, session_id]);

  const confirm = async (): Promise<void> => {
    if (preview?.target === undefined) return;
    if (preview.checkpointSeq !== newest) {
      store.say('A checkpoint came meanwhile: this is the new preview', 'warn');
      setRound(round + 1);
      return;
    }
    setIsSending(true);
    await store.desk?.send({ type: 'ROLLBACK', session_id, ...preview.target }, 'ROLLBACK');
    onClose();
  };

  return (
    <Modal title="Roll back?" onClose={onClose}>
      <div aria-live="polite">
        {preview === undefined ? <p>Asking what would be undone ...</p> : null}
        {preview?.checkpoint.map((line) => (
          <p key={line} className="strong">
            {line}
          </p>
        ))}
        {preview === undefined ? null : (
          <pre className={preview.target === undefined ? 'context tone-bad' : 'context'} tabIndex={0}>
            {preview.lines.join('\n')}
          </pre>
        )}
      </div>
      <footer>
        <button type="button" data-first onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="danger" disabled={preview?.target === undefined || isSending} onClick={() => void confirm()}>
          {isSending ? 'Rolling back ...' : 'Roll back'}
        </button>
      </footer>
    </Modal>
  );
}
