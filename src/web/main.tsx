import './without-eval.ts';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { PageStore } from './store/page-store.ts';

const place = document.getElementById('page');
if (place !== null) {
  const store = new PageStore(location.origin);
  void store.start();
  createRoot(place).render(<App store={store} />);
}
