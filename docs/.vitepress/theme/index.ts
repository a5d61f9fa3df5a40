// The theme without its fonts: a page looks as the system's own do, and is smaller.
import DefaultTheme from 'vitepress/theme-without-fonts'
import './style.css'

export default DefaultTheme
