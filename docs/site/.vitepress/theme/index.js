/** VitePress's own theme, with columns wide enough for the tables and the code of these pages. */
import theme from 'vitepress/theme';
import './wide.css';

export default theme;
