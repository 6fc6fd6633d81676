import { useState, type FormEvent, type ReactNode } from 'react';
import type { CommandInput } from '../../core/protocol/command.ts';
import { Modal } from '../parts/modal.tsx';
import type { PageStore } from '../store/page-store.ts';

interface SteerDialogProps {
  store: PageStore;
  session: string;
  kind: 'redirect' | 'inject';
  onClose: () => void;
}

/** REDIRECT and INJECT: where the program is to go instead, or a step that it is to take too. */
export function SteerDialog({ store, session, kind, onClose }: SteerDialogProps): ReactNode {
  const [name, setName] = useState('');
  const [more, setMore] = useState('');
  const [position, setPosition] = useState<'next' | 'end'>('next');
  const [problem, setProblem] = useState('');
  const [isSending, setIsSending] = useState(false);
  const isRedirect = kind === 'redirect';

  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const command = isRedirect ? redirect(name, more) : inject(name, more, position);
    if (typeof command === 'string') return setProblem(command);
    setIsSending(true);
    const result = await store.desk?.send({ ...command, session_id: session }, command.type);
    setIsSending(false);
    if (result?.success === true) onClose();
  };

  return (
    <Modal title={isRedirect ? 'Redirect' : 'Inject a step'} onClose={onClose}>
      <form onSubmit={(event) => void send(event)}>
        <label className="field">
          {isRedirect ? 'Skill to go to instead' : 'Skill'}
          <input type="text" data-first value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        <label className="field">
          {isRedirect ? 'Instructions' : 'Parameters, as JSON'}
          <textarea rows={4} value={more} onChange={(event) => setMore(event.target.value)} />
        </label>
        {isRedirect ? null : (
          <label className="field">
            Place
            <select value={position} onChange={(event) => setPosition(event.target.value === 'end' ? 'end' : 'next')}>
              <option value="next">next</option>
              <option value="end">at the end</option>
            </select>
          </label>
        )}
        <p role="alert" className="tone-bad">
          {problem}
        </p>
        <footer>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={isSending}>
            {isRedirect ? 'Redirect' : 'Inject'}
          </button>
        </footer>
      </form>
    </Modal>
  );
}

/** A sentence where something is missing. */
function redirect(name: string, instructions: string): CommandInput | string {
  if (name.trim() === '') return 'Name the skill to go to.';
  return { type: 'REDIRECT', target_skill: name.trim(), ...(instructions.trim() === '' ? {} : { instructions }) };
}

function inject(name: string, parameters: string, position: 'next' | 'end'): CommandInput | string {
  if (name.trim() === '') return 'Name the skill.';
  if (parameters.trim() === '') return { type: 'INJECT', skill_name: name.trim(), position };
  try {
    const value: unknown = JSON.parse(parameters);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { type: 'INJECT', skill_name: name.trim(), position, parameters: { ...value } };
    }
  } catch {
    // Said below.
  }
  return 'The parameters are no JSON object, as {"wave": 2}.';
}
