import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from './api/query-client.js';
import { App } from './app/app.js';
import { followTheme } from './app/theme.js';
import './styles/theme.css';
import './styles/layout.css';
import './styles/controls.css';
import './styles/pages.css';

followTheme();
createRoot(document.querySelector('#root') as HTMLElement).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
